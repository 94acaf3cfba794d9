import type { Row } from "@cairn/client";
import { useDocumentView } from "@cairn/react";
import { Component, type ReactNode, Suspense, useDeferredValue, useState } from "react";
import { CairnProvider, open, useSuspenseDocument, useSuspenseQuery } from "./cairn.ts";
import type { schema } from "./schema.ts";

export class Failures extends Component<{ children?: ReactNode }, { failure?: Error | undefined }> {
  override state: { failure?: Error | undefined } = {};
  static getDerivedStateFromError = (failure: Error) => ({ failure });
  override render() {
    const { failure } = this.state;
    if (failure === undefined) return this.props.children;
    return <button onClick={() => this.setState({ failure: undefined })}>Try again: {failure.message}</button>;
  }
}

const Found = ({ search, onOpen }: { search: string; onOpen: (id: Row<typeof schema, "stone">["id"]) => void }) => {
  const stones = useSuspenseQuery("stone", search === "" ? {} : { search });
  return stones.map((stone) => (
    <button key={stone.id} onClick={() => onOpen(stone.id)}>
      {stone.fields.name}
    </button>
  ));
};

const Shown = ({ id }: { id: Row<typeof schema, "stone">["id"] }) => {
  const stone = useSuspenseDocument("stone", id);
  return <h1>{useDocumentView(stone, ({ name }) => name)}</h1>;
};

const Page = () => {
  const [search, setSearch] = useState("");
  const [shown, show] = useState<Row<typeof schema, "stone">["id"]>();
  // While the stones of another search are looked for, those of the last one stay.
  const searched = useDeferredValue(search);
  return (
    <Failures>
      <input aria-label="Search" value={search} onChange={({ target }) => setSearch(target.value)} />
      <Suspense fallback={<p>Opening</p>}>
        <Found search={searched} onOpen={show} />
      </Suspense>
      {shown && (
        <Suspense fallback={<p>Opening the stone</p>}>
          <Shown key={shown} id={shown} />
        </Suspense>
      )}
    </Failures>
  );
};

export const Suspended = () => (
  <CairnProvider open={open}>
    <Page />
  </CairnProvider>
);
