// Writes with drizzle-orm to DATABASE_URL what the replaced backend writes in the course
// of a user's day: provisioning, a chat, a cart, a checkout that is paid, a deposit.
// Each value is of the JavaScript type that its code has there.
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { cartItems, chatMessages, chatSessions, orderItems, orders, users } from "./schema.ts";

const client = postgres(process.env.DATABASE_URL, { max: 1 });
const db = drizzle(client);
const insert = async (table, row) => (await db.insert(table).values(row).returning())[0];

const pending = { crossmintUserId: "google|eve", email: "eve", walletStatus: "pending" };
const user = await insert(users, pending);
await insert(users, { ...pending, crossmintUserId: "google|mallory" });
await db
  .update(users)
  .set({
    walletAddress: "0x" + "e".repeat(64),
    crossmintWalletId: "wallet-eve",
    evmAddress: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    walletStatus: "active",
    updatedAt: new Date(),
  })
  .where(eq(users.id, user.id));

const session = await insert(chatSessions, { userId: user.id, title: null });
await db.insert(chatMessages).values([
  { sessionId: session.id, msgId: "msg-1", role: "user", parts: [{ type: "text", text: "Hi" }] },
  { sessionId: session.id, msgId: null, role: "assistant", parts: "Hello" },
]);
await db
  .update(chatSessions)
  .set({ title: "Greetings", updatedAt: new Date() })
  .where(eq(chatSessions.id, session.id));

const product = { productId: "B01", productName: "Notebook", price: 1490, size: "", color: "" };
const item = await insert(cartItems, { userId: user.id, ...product });
const order = await insert(orders, { userId: user.id, type: "checkout", crossmintOrderId: "c-1" });
await insert(orderItems, { orderId: order.id, cartItemId: item.id, ...product });
await db.update(orders).set({ status: "payment_confirmed", amountUsdc: "14.9" }).where(eq(orders.id, order.id));
await db.update(cartItems).set({ deletedAt: new Date() }).where(eq(cartItems.id, item.id));

await insert(orders, {
  userId: user.id,
  type: "deposit",
  txHash: "CvJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi",
  status: "payment_confirmed",
  amountUsdc: String(0.000001),
});
await client.end();
