import { Archive, ArchiveRestore, type LucideIcon, Pin, PinOff } from "lucide-react";
import { shelves } from "../notebook/note-fields.ts";
import type { Shelf } from "../notebook/schema/version-3.ts";

/** What can be done with a note that stands somewhere. */
export interface ShelfChoice {
  readonly to: Shelf;
  readonly label: string;
  readonly icon: LucideIcon;
}

const pin: ShelfChoice = { to: "pinned", label: "Pin to the top", icon: Pin };
const unpin: ShelfChoice = { to: "normal", label: "Unpin", icon: PinOff };
const archive: ShelfChoice = { to: "archived", label: "Archive", icon: Archive };
const restore: ShelfChoice = { to: "normal", label: "Move out of the archive", icon: ArchiveRestore };

/** The choices for a note, as far as this version of the app has them. */
export const shelfChoices = (shelf: Shelf): ReadonlyArray<ShelfChoice> =>
  [shelf === "pinned" ? unpin : pin, shelf === "archived" ? restore : archive].filter(
    ({ to }) => shelves.size > 1 && shelves.has(to),
  );
