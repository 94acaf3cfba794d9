import { CairnProvider, open, useQuery, useWorkspace } from "./cairn.ts";

const Stones = () => {
  const workspace = useWorkspace();
  const stones = useQuery("stone", { sort: { by: "$created" } });
  if (!workspace || !stones) return <p>Opening</p>;
  const add = () => workspace.create("stone", (stone) => stone.name.set(`Stone ${stones.length + 1}`));
  return (
    <>
      <button onClick={() => void add().then((stone) => stone.close())}>Add a stone</button>
      <ul>
        {stones.map((stone) => (
          <li key={stone.id}>{stone.fields.name}</li>
        ))}
      </ul>
    </>
  );
};

export const App = () => (
  <CairnProvider open={open}>
    <Stones />
  </CairnProvider>
);
