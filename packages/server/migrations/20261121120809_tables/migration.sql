CREATE TABLE "chunks" (
	"workspace" bytea,
	"hash" bytea,
	"size" integer NOT NULL,
	"bytes" bytea NOT NULL,
	"leased_until" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "chunks_pkey" PRIMARY KEY("workspace","hash")
);
--> statement-breakpoint
CREATE TABLE "devices" (
	"workspace" bytea,
	"device" bytea,
	"signing_key" bytea NOT NULL,
	"agreement_key" bytea,
	"role" smallint NOT NULL,
	"from_counter" bigint NOT NULL,
	"to_counter" bigint,
	"admitted" boolean DEFAULT false NOT NULL,
	"last" bigint DEFAULT 0 NOT NULL,
	"last_hash" bytea,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "devices_pkey" PRIMARY KEY("workspace","device")
);
--> statement-breakpoint
CREATE TABLE "entries" (
	"workspace" bytea,
	"seq" bigint,
	"device" bytea NOT NULL,
	"counter" bigint NOT NULL,
	"document" bytea NOT NULL,
	"kind" smallint NOT NULL,
	"epoch" bigint NOT NULL,
	"hash" bytea NOT NULL,
	"chain" bytea NOT NULL,
	"size" integer NOT NULL,
	"bytes" bytea,
	"received_at" timestamp with time zone NOT NULL,
	CONSTRAINT "entries_pkey" PRIMARY KEY("workspace","seq")
);
--> statement-breakpoint
CREATE TABLE "entry_refs" (
	"workspace" bytea,
	"hash" bytea,
	"seq" bigint,
	CONSTRAINT "entry_refs_pkey" PRIMARY KEY("workspace","hash","seq")
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"workspace" bytea,
	"grant" bytea,
	"device" bytea NOT NULL,
	"role" smallint NOT NULL,
	"label" text NOT NULL,
	"revoked" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	"last_seen_at" timestamp with time zone,
	"link" bytea,
	CONSTRAINT "grants_pkey" PRIMARY KEY("workspace","grant")
);
--> statement-breakpoint
CREATE TABLE "link_uses" (
	"workspace" bytea,
	"link" bytea,
	"device" bytea,
	"used_at" timestamp with time zone NOT NULL,
	CONSTRAINT "link_uses_pkey" PRIMARY KEY("workspace","link","device")
);
--> statement-breakpoint
CREATE TABLE "links" (
	"workspace" bytea,
	"link" bytea,
	"signing_key" bytea NOT NULL,
	"role" smallint NOT NULL,
	"max_uses" bigint NOT NULL,
	"honoured" boolean NOT NULL,
	"revoked" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone,
	CONSTRAINT "links_pkey" PRIMARY KEY("workspace","link")
);
--> statement-breakpoint
CREATE TABLE "purged_documents" (
	"workspace" bytea,
	"document" bytea,
	"seq" bigint NOT NULL,
	"purged_at" timestamp with time zone NOT NULL,
	CONSTRAINT "purged_documents_pkey" PRIMARY KEY("workspace","document")
);
--> statement-breakpoint
CREATE TABLE "server" (
	"singleton" smallint PRIMARY KEY DEFAULT 1,
	"server" bytea NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"revocation_mark" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "server_singleton" CHECK ("singleton" = 1)
);
--> statement-breakpoint
CREATE TABLE "workspaces" (
	"workspace" bytea PRIMARY KEY,
	"root_key" bytea NOT NULL,
	"head" bigint DEFAULT 0 NOT NULL,
	"chain" bytea NOT NULL,
	"membership_head" bytea NOT NULL,
	"key_epoch" bigint DEFAULT 0 NOT NULL,
	"entries_bytes" bigint DEFAULT 0 NOT NULL,
	"attachments_bytes" bigint DEFAULT 0 NOT NULL,
	"quota_bytes" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "entries_identity" ON "entries" ("workspace","device","counter");--> statement-breakpoint
CREATE INDEX "entry_refs_seq" ON "entry_refs" ("workspace","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "grants_active_device" ON "grants" ("workspace","device") WHERE not "revoked";--> statement-breakpoint
ALTER TABLE "chunks" ADD CONSTRAINT "chunks_workspace_workspaces_workspace_fkey" FOREIGN KEY ("workspace") REFERENCES "workspaces"("workspace");--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_workspace_workspaces_workspace_fkey" FOREIGN KEY ("workspace") REFERENCES "workspaces"("workspace");--> statement-breakpoint
ALTER TABLE "entry_refs" ADD CONSTRAINT "entry_refs_workspace_seq_entries_workspace_seq_fkey" FOREIGN KEY ("workspace","seq") REFERENCES "entries"("workspace","seq");--> statement-breakpoint
ALTER TABLE "entry_refs" ADD CONSTRAINT "entry_refs_workspace_hash_chunks_workspace_hash_fkey" FOREIGN KEY ("workspace","hash") REFERENCES "chunks"("workspace","hash");--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_workspace_device_devices_workspace_device_fkey" FOREIGN KEY ("workspace","device") REFERENCES "devices"("workspace","device");--> statement-breakpoint
ALTER TABLE "link_uses" ADD CONSTRAINT "link_uses_workspace_link_links_workspace_link_fkey" FOREIGN KEY ("workspace","link") REFERENCES "links"("workspace","link");--> statement-breakpoint
ALTER TABLE "links" ADD CONSTRAINT "links_workspace_workspaces_workspace_fkey" FOREIGN KEY ("workspace") REFERENCES "workspaces"("workspace");