// The database as the documents of the replaced system describe it, in Drizzle.
import { sql } from "drizzle-orm";
import {
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";

export const users = pgTable(
  "users",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    crossmintUserId: varchar("crossmint_user_id", { length: 255 }).notNull().unique(),
    email: varchar("email", { length: 320 }),
    walletAddress: varchar("wallet_address", { length: 66 }),
    crossmintWalletId: varchar("crossmint_wallet_id", { length: 255 }),
    walletStatus: varchar("wallet_status", { length: 20 }).notNull().default("none"),
    onboardingStep: integer("onboarding_step").notNull().default(0),
    displayName: varchar("display_name", { length: 100 }),
    firstName: varchar("first_name", { length: 50 }),
    lastName: varchar("last_name", { length: 50 }),
    street: varchar("street", { length: 255 }),
    apt: varchar("apt", { length: 50 }),
    city: varchar("city", { length: 100 }),
    state: varchar("state", { length: 100 }),
    zip: varchar("zip", { length: 20 }),
    country: varchar("country", { length: 100 }),
    topsSize: varchar("tops_size", { length: 10 }),
    bottomsSize: varchar("bottoms_size", { length: 10 }),
    footwearSize: varchar("footwear_size", { length: 10 }),
    evmAddress: varchar("evm_address", { length: 42 }),
    suiPrivateKeyEncrypted: text("sui_private_key_encrypted"),
    createdAt: timestamp("created_at").notNull().defaultNow(),
    updatedAt: timestamp("updated_at").notNull().defaultNow(),
  },
  (table) => [
    index("users_email_idx").on(table.email),
    index("users_wallet_address_idx").on(table.walletAddress),
  ],
);

export const chatSessions = pgTable(
  "chat_sessions",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    title: varchar("title", { length: 100 }),
    createdAt: timestamp("created_at").notNull().defaultNow(),
    updatedAt: timestamp("updated_at").notNull().defaultNow(),
  },
  (table) => [
    index("chat_sessions_created_at_idx").on(table.createdAt),
    index("chat_sessions_updated_at_idx").on(table.updatedAt),
  ],
);

export const chatMessages = pgTable(
  "chat_messages",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    sessionId: uuid("session_id")
      .notNull()
      .references(() => chatSessions.id, { onDelete: "cascade" }),
    msgId: varchar("msg_id", { length: 100 }).notNull(),
    role: varchar("role", { length: 20 }).notNull(),
    parts: jsonb("parts").notNull(),
    createdAt: timestamp("created_at").notNull().defaultNow(),
  },
  (table) => [index("chat_messages_session_id_idx").on(table.sessionId, table.createdAt)],
);

export const cartItems = pgTable(
  "cart_items",
  {
    id: uuid("id").primaryKey().defaultRandom(),
    userId: uuid("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" }),
    productId: varchar("product_id", { length: 255 }).notNull(),
    productName: varchar("product_name", { length: 500 }).notNull(),
    price: integer("price").notNull(),
    image: varchar("image", { length: 2048 }),
    productUrl: varchar("product_url", { length: 2048 }),
    size: varchar("size", { length: 50 }),
    color: varchar("color", { length: 50 }),
    retailer: varchar("retailer", { length: 255 }),
    txDigest: varchar("tx_digest", { length: 255 }),
    onChainObjectId: varchar("on_chain_object_id", { length: 255 }).unique(),
    deletedAt: timestamp("deleted_at", { withTimezone: true }),
    createdAt: timestamp("created_at").notNull().defaultNow(),
  },
  (table) => [
    uniqueIndex("cart_items_active_unique")
      .on(table.userId, table.productId, table.size, table.color)
      .where(sql`${table.deletedAt} IS NULL`),
  ],
);

export const orders = pgTable("orders", {
  id: uuid("id").primaryKey().defaultRandom(),
  userId: uuid("user_id")
    .notNull()
    .references(() => users.id, { onDelete: "cascade" }),
  type: varchar("type", { length: 20 }).notNull(),
  crossmintOrderId: varchar("crossmint_order_id", { length: 255 }).unique(),
  status: varchar("status", { length: 50 }).notNull().default("awaiting_approval"),
  amountUsdc: numeric("amount_usdc"),
  txHash: varchar("tx_hash", { length: 255 }).unique(),
  paymentHash: varchar("payment_hash", { length: 255 }),
  createdAt: timestamp("created_at").notNull().defaultNow(),
});

export const orderItems = pgTable("order_items", {
  id: uuid("id").primaryKey().defaultRandom(),
  orderId: uuid("order_id")
    .notNull()
    .references(() => orders.id, { onDelete: "cascade" }),
  cartItemId: uuid("cart_item_id").references(() => cartItems.id, { onDelete: "set null" }),
  productId: varchar("product_id", { length: 255 }).notNull(),
  productName: varchar("product_name", { length: 500 }).notNull(),
  price: integer("price").notNull(),
  image: varchar("image", { length: 2048 }),
  productUrl: varchar("product_url", { length: 2048 }),
  size: varchar("size", { length: 50 }),
  color: varchar("color", { length: 50 }),
  retailer: varchar("retailer", { length: 255 }),
  onChainObjectId: varchar("on_chain_object_id", { length: 255 }),
  createdAt: timestamp("created_at").notNull().defaultNow(),
});
