CREATE TABLE "cart_items" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"product_id" varchar(255) NOT NULL,
	"product_name" varchar(500) NOT NULL,
	"price" integer NOT NULL,
	"image" varchar(2048),
	"product_url" varchar(2048),
	"size" varchar(50),
	"color" varchar(50),
	"retailer" varchar(255),
	"tx_digest" varchar(255),
	"on_chain_object_id" varchar(255),
	"deleted_at" timestamp with time zone,
	"created_at" timestamp DEFAULT now() NOT NULL,
	CONSTRAINT "cart_items_on_chain_object_id_unique" UNIQUE("on_chain_object_id")
);
--> statement-breakpoint
CREATE TABLE "chat_messages" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"session_id" uuid NOT NULL,
	"msg_id" varchar(100) NOT NULL,
	"role" varchar(20) NOT NULL,
	"parts" jsonb NOT NULL,
	"created_at" timestamp DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "chat_sessions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"title" varchar(100),
	"created_at" timestamp DEFAULT now() NOT NULL,
	"updated_at" timestamp DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "order_items" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"order_id" uuid NOT NULL,
	"cart_item_id" uuid,
	"product_id" varchar(255) NOT NULL,
	"product_name" varchar(500) NOT NULL,
	"price" integer NOT NULL,
	"image" varchar(2048),
	"product_url" varchar(2048),
	"size" varchar(50),
	"color" varchar(50),
	"retailer" varchar(255),
	"on_chain_object_id" varchar(255),
	"created_at" timestamp DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"type" varchar(20) NOT NULL,
	"crossmint_order_id" varchar(255),
	"status" varchar(50) DEFAULT 'awaiting_approval' NOT NULL,
	"amount_usdc" numeric,
	"tx_hash" varchar(255),
	"payment_hash" varchar(255),
	"created_at" timestamp DEFAULT now() NOT NULL,
	CONSTRAINT "orders_crossmint_order_id_unique" UNIQUE("crossmint_order_id"),
	CONSTRAINT "orders_tx_hash_unique" UNIQUE("tx_hash")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"crossmint_user_id" varchar(255) NOT NULL,
	"email" varchar(320),
	"wallet_address" varchar(66),
	"crossmint_wallet_id" varchar(255),
	"wallet_status" varchar(20) DEFAULT 'none' NOT NULL,
	"onboarding_step" integer DEFAULT 0 NOT NULL,
	"display_name" varchar(100),
	"first_name" varchar(50),
	"last_name" varchar(50),
	"street" varchar(255),
	"apt" varchar(50),
	"city" varchar(100),
	"state" varchar(100),
	"zip" varchar(20),
	"country" varchar(100),
	"tops_size" varchar(10),
	"bottoms_size" varchar(10),
	"footwear_size" varchar(10),
	"evm_address" varchar(42),
	"sui_private_key_encrypted" text,
	"created_at" timestamp DEFAULT now() NOT NULL,
	"updated_at" timestamp DEFAULT now() NOT NULL,
	CONSTRAINT "users_crossmint_user_id_unique" UNIQUE("crossmint_user_id")
);
--> statement-breakpoint
ALTER TABLE "cart_items" ADD CONSTRAINT "cart_items_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_messages" ADD CONSTRAINT "chat_messages_session_id_chat_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."chat_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_sessions" ADD CONSTRAINT "chat_sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "order_items" ADD CONSTRAINT "order_items_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "order_items" ADD CONSTRAINT "order_items_cart_item_id_cart_items_id_fk" FOREIGN KEY ("cart_item_id") REFERENCES "public"."cart_items"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "cart_items_active_unique" ON "cart_items" USING btree ("user_id","product_id","size","color") WHERE "cart_items"."deleted_at" IS NULL;--> statement-breakpoint
CREATE INDEX "chat_messages_session_id_idx" ON "chat_messages" USING btree ("session_id","created_at");--> statement-breakpoint
CREATE INDEX "chat_sessions_created_at_idx" ON "chat_sessions" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "chat_sessions_updated_at_idx" ON "chat_sessions" USING btree ("updated_at");--> statement-breakpoint
CREATE INDEX "users_email_idx" ON "users" USING btree ("email");--> statement-breakpoint
CREATE INDEX "users_wallet_address_idx" ON "users" USING btree ("wallet_address");