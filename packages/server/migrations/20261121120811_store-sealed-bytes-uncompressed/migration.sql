-- What is sealed does not compress: trying costs time on every write.
ALTER TABLE "entries" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
--> statement-breakpoint
ALTER TABLE "chunks" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
