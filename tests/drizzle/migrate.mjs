// Applies the migrations in a folder to DATABASE_URL, as the replaced backend does.
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

const migrationClient = postgres(process.env.DATABASE_URL, { max: 1, onnotice: () => {} });
await migrate(drizzle(migrationClient), { migrationsFolder: process.argv[2] });
await migrationClient.end();
