import type { DocumentHandle, Row, Workspace } from "@cairn/client";
import { createCairnHooks } from "@cairn/react";
import type { NotebookSchema } from "./schema.ts";

/** The hooks of `@cairn/react`, knowing the notebook's documents. */
export const { CairnProvider, useCairn, useWorkspace, useWorkspaces, useQuery, useDocument, useAttachments } =
  createCairnHooks<NotebookSchema>();

export type Notebook = Workspace<NotebookSchema>;
export type NoteRow = Row<NotebookSchema, "note">;
export type NoteId = NoteRow["id"];
export type NoteHandle = DocumentHandle<NotebookSchema, "note">;
