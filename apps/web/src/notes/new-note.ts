/** The note that was just made: its page puts the cursor into it. Consumed once, so a reload does not. */
let expected: string | undefined;

export const expectNewNote = (id: string): void => {
  expected = id;
};

export const isNewNote = (id: string): boolean => {
  const isNew = expected === id;
  if (isNew) expected = undefined;
  return isNew;
};
