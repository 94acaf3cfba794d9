import { type NoteQuery, listQueries } from "../notebook/note-fields.ts";

/** Some screens of rows at first, and more as one comes near the end: what nobody sees is neither read nor drawn. */
export const firstRows = 30;
export const moreRows = 120;

const { top, rest } = listQueries({ search: "", tag: undefined, archive: false }, firstRows);
const ofNotes = (query: NoteQuery) => ({ type: "note" as const, query });

/** What the list of notes asks after a reload. */
export const firstLists = [ofNotes(top), ofNotes(rest)];
