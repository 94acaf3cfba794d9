interface Stated {
  readonly id: string;
  readonly updatedAt: number;
}

interface Lists<A> {
  readonly top: ReadonlyArray<A>;
  readonly rest: ReadonlyArray<A>;
}

/**
 * Both lists with each note in one of them. They are answers to two questions, and one may be there a moment before the
 * other: a note that was pinned just now stands in both until then. It is where its newer row says.
 */
export const eachOnce = <A extends Stated>({ top, rest }: Lists<A>): Lists<A> => {
  const inRest = new Map(rest.map((row) => [row.id, row.updatedAt]));
  const inTop = new Map(top.map((row) => [row.id, row.updatedAt]));
  return {
    top: top.filter(({ id, updatedAt }) => updatedAt >= (inRest.get(id) ?? updatedAt)),
    rest: rest.filter(({ id, updatedAt }) => updatedAt > (inTop.get(id) ?? Number.NEGATIVE_INFINITY)),
  };
};
