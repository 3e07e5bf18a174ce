// The replaced system's tables, as its code has them in Drizzle: write.mjs writes by these.
import {
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";

const id = () => uuid("id").primaryKey().defaultRandom();
const now = (name) => timestamp(name).notNull().defaultNow();
const product = () => ({
  productId: varchar("product_id", { length: 255 }).notNull(),
  productName: varchar("product_name", { length: 500 }).notNull(),
  price: integer("price").notNull(),
  image: varchar("image", { length: 2048 }),
  size: varchar("size", { length: 50 }),
  color: varchar("color", { length: 50 }),
  productUrl: varchar("product_url", { length: 2048 }),
  retailer: varchar("retailer", { length: 255 }),
  onChainObjectId: varchar("on_chain_object_id", { length: 255 }),
});

export const users = pgTable("users", {
  id: id(),
  crossmintUserId: varchar("crossmint_user_id", { length: 255 }).notNull(),
  email: varchar("email", { length: 320 }).notNull(),
  walletAddress: varchar("wallet_address", { length: 66 }),
  crossmintWalletId: varchar("crossmint_wallet_id", { length: 255 }),
  walletStatus: varchar("wallet_status", { length: 20 }).notNull().default("none"),
  onboardingStep: integer("onboarding_step").notNull().default(0),
  evmAddress: varchar("evm_address", { length: 42 }),
  suiPrivateKeyEncrypted: text("sui_private_key_encrypted"),
  createdAt: now("created_at"),
  updatedAt: now("updated_at"),
});

export const chatSessions = pgTable("chat_sessions", {
  id: id(),
  userId: uuid("user_id").notNull(),
  title: varchar("title", { length: 100 }),
  createdAt: now("created_at"),
  updatedAt: now("updated_at"),
});

export const chatMessages = pgTable("chat_messages", {
  id: id(),
  sessionId: uuid("session_id").notNull(),
  msgId: varchar("msg_id", { length: 100 }),
  role: varchar("role", { length: 20 }).notNull(),
  parts: jsonb("parts").notNull(),
  createdAt: now("created_at"),
});

export const cartItems = pgTable("cart_items", {
  id: id(),
  userId: uuid("user_id").notNull(),
  ...product(),
  txDigest: varchar("tx_digest", { length: 255 }),
  createdAt: now("created_at"),
  deletedAt: timestamp("deleted_at", { withTimezone: true }),
});

export const orders = pgTable("orders", {
  id: id(),
  userId: uuid("user_id").notNull(),
  type: varchar("type", { length: 20 }).notNull().default("checkout"),
  crossmintOrderId: varchar("crossmint_order_id", { length: 255 }),
  status: varchar("status", { length: 50 }).notNull().default("awaiting_approval"),
  amountUsdc: numeric("amount_usdc"),
  txHash: varchar("tx_hash", { length: 255 }),
  paymentHash: varchar("payment_hash", { length: 255 }),
  createdAt: now("created_at"),
});

export const orderItems = pgTable("order_items", {
  id: id(),
  orderId: uuid("order_id").notNull(),
  cartItemId: uuid("cart_item_id"),
  ...product(),
  createdAt: now("created_at"),
});
