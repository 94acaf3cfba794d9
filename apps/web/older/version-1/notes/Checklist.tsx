/** In place of `src/notes/Checklist.tsx`: notes have none (`hasChecklist`). */
const Checklist = (): null => null;

export default Checklist;
