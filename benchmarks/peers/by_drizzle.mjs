// Checks out with Drizzle's ORM on postgres.js, as its documentation has it: a cart a line
// of input.
//
// node by_drizzle.mjs URL
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { boolean, integer, numeric, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";

const id = () => uuid("id").primaryKey().defaultRandom();
const at = (name) => timestamp(name, { withTimezone: true });
const product = () => ({
  productId: text("product_id").notNull(),
  productName: text("product_name").notNull(),
  price: integer("price").notNull(),
  image: text("image"),
  productUrl: text("product_url"),
  size: text("size"),
  color: text("color"),
  retailer: text("retailer"),
  onChainObjectId: text("on_chain_object_id"),
});

const users = pgTable("users", { id: id() });

const cartItems = pgTable("cart_items", {
  id: id(),
  userId: uuid("user_id").notNull(),
  ...product(),
  txDigest: text("tx_digest"),
  deletedAt: at("deleted_at"),
  createdAt: at("created_at").notNull().defaultNow(),
  endedAt: at("ended_at"),
});

const orders = pgTable("orders", {
  id: id(),
  userId: uuid("user_id").notNull(),
  type: text("type").notNull(),
  crossmintOrderId: text("crossmint_order_id"),
  status: text("status").notNull().default("awaiting_approval"),
  amountUsdc: numeric("amount_usdc"),
  quotedUsdc: numeric("quoted_usdc"),
  receivedUsdc: numeric("received_usdc"),
  txHash: text("tx_hash"),
  paymentHash: text("payment_hash"),
  checkoutId: uuid("checkout_id"),
  settledAt: at("settled_at"),
  onChain: boolean("on_chain").notNull().default(false),
  paidLate: boolean("paid_late").notNull().default(false),
  createdAt: at("created_at").notNull().defaultNow(),
});

const orderItems = pgTable("order_items", {
  id: id(),
  orderId: uuid("order_id").notNull(),
  cartItemId: uuid("cart_item_id"),
  ...product(),
  createdAt: at("created_at").notNull().defaultNow(),
});

const kept = Object.keys(product());

const checkout = (db, cart) =>
  db.transaction(async (tx) => {
    const user = eq(users.id, cart.user_id);
    await tx.select({ id: users.id }).from(users).where(user).for("no key update");
    const inCart = and(
      inArray(cartItems.id, cart.item_ids),
      eq(cartItems.userId, cart.user_id),
      isNull(cartItems.deletedAt),
    );
    const taken = await tx.update(cartItems).set({ deletedAt: sql`now()` }).where(inCart).returning();
    const itemById = new Map(taken.map((item) => [item.id, item]));
    const checkoutId = randomUUID();
    const placed = await tx
      .insert(orders)
      .values(
        cart.crossmint_order_ids.map((crossmintOrderId, line) => ({
          userId: cart.user_id,
          type: "checkout",
          checkoutId,
          crossmintOrderId,
          amountUsdc: cart.amounts[line],
          quotedUsdc: cart.amounts[line],
        })),
      )
      .returning();
    const snapshots = await tx
      .insert(orderItems)
      .values(
        placed.map((order, line) => {
          const item = itemById.get(cart.item_ids[line]);
          const copied = Object.fromEntries(kept.map((name) => [name, item[name]]));
          return { orderId: order.id, cartItemId: item.id, ...copied };
        }),
      )
      .returning();
    return [placed, snapshots];
  });

const client = postgres(process.argv[2], { max: 5, onnotice: () => {} });
const db = drizzle(client);
for await (const line of createInterface({ input: process.stdin })) {
  const cart = JSON.parse(line);
  const start = performance.now();
  const before = process.cpuUsage();
  await checkout(db, cart);
  const elapsed = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ elapsed, busy: (user + system) / 1e6 }));
}
await client.end();
