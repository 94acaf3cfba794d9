import type { FirstLook } from "@cairn/client/first-look";
import { type ComponentType, createElement, StrictMode, Suspense } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "./example/App.tsx";
import { CairnProvider, open, useQuery, useSuspenseQuery } from "./example/cairn.ts";
import { Status } from "./example/Status.tsx";
import { Stone } from "./example/Stone.tsx";
import { Failures, Suspended } from "./example/Suspended.tsx";

let root: Root | undefined;
afterEach(() => root?.unmount());

const mount = (component: ComponentType): HTMLElement => {
  const element = document.body.appendChild(document.createElement("div"));
  const made = createRoot(element);
  root = made;
  flushSync(() => made.render(createElement(StrictMode, undefined, createElement(component))));
  return element;
};
const texts = (element: HTMLElement, selector: string): ReadonlyArray<string> =>
  [...element.querySelectorAll(selector)].map((found) => found.textContent);
const opened = { timeout: 20_000 };

/** As a person types: React hears of a value only where the element's own setter set it. */
const type = (input: HTMLInputElement, value: string): void => {
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(input, value);
  input.dispatchEvent(new Event("input", { bubbles: true }));
};

test("the README's app adds to a live list, which is there again when the app is opened anew", async () => {
  const first = mount(App);
  await vi.waitFor(() => expect(first.textContent).toBe("Opening"));
  const add = await vi.waitUntil(() => first.querySelector("button"), opened);
  add.click();
  await vi.waitUntil(() => texts(first, "li").length === 1);
  add.click();
  await vi.waitFor(() => expect(texts(first, "li")).toEqual(["Stone 1", "Stone 2"]));
  root?.unmount();
  const again = mount(App);
  await vi.waitFor(() => expect(texts(again, "li")).toEqual(["Stone 1", "Stone 2"]), opened);
});

test("a stone is renamed, its row follows, and it says that it is saved and that nothing is on a server", async () => {
  const Stones = () => {
    const stones = useQuery("stone", { sort: { by: "$created" } });
    const [first] = stones ?? [];
    return first && createElement("div", {}, createElement("b", {}, first.fields.name), createElement(Stone, first));
  };
  const Page = () => createElement(CairnProvider, { open }, createElement(Stones), createElement(Status));
  const page = mount(Page);
  const input = await vi.waitUntil(() => page.querySelector("input"), opened);
  type(input, "Granite");
  await vi.waitFor(() => expect(texts(page, "b")).toEqual(["Granite"]));
  await vi.waitFor(() => expect(texts(page, "output")).toEqual(["Saved"]));
  expect(input.value).toBe("Granite");
  await vi.waitFor(() => expect(texts(page, "footer p")).toContain("On this device only"));
});

test("with Suspense: waits, lists, searches without showing nothing in between, and opens", async () => {
  const page = mount(Suspended);
  await vi.waitFor(() => expect(page.textContent).toBe("Opening"));
  await vi.waitFor(() => expect(texts(page, "button")).toEqual(["Granite", "Stone 2"]), opened);
  const shown: Array<string> = [];
  const watcher = new MutationObserver(() => shown.push(page.textContent));
  watcher.observe(page, { childList: true, subtree: true, characterData: true });
  const search = await vi.waitUntil(() => page.querySelector("input"));
  type(search, "granite");
  await vi.waitFor(() => expect(texts(page, "button")).toEqual(["Granite"]));
  watcher.disconnect();
  expect(shown.filter((text) => text.includes("Opening"))).toEqual([]);
  page.querySelector("button")?.click();
  await vi.waitFor(() => expect(texts(page, "h1")).toEqual(["Granite"]));
});

test("with error boundaries: a query that does not fit is thrown, and a better one is asked when it is tried again", async () => {
  let limit = -1;
  const Limited = () =>
    useSuspenseQuery("stone", { limit }).map(({ id, fields }) => createElement("li", { key: id }, fields.name));
  const Page = () =>
    createElement(
      CairnProvider,
      { open },
      createElement(Failures, {}, createElement(Suspense, { fallback: "Opening" }, createElement(Limited))),
    );
  const page = mount(Page);
  const retry = await vi.waitUntil(() => page.querySelector("button"), opened);
  expect(retry.textContent).toContain("limit");
  limit = 1;
  retry.click();
  await vi.waitFor(() => expect(texts(page, "li")).toHaveLength(1));
});

test("a first look is on screen while the client opens, and gives way to what the client says", async () => {
  const query = { sort: { by: "$created" } } as const;
  const gate = Promise.withResolvers<void>();
  const openLater = () => gate.promise.then(open);
  const row = (name: string) => ({
    id: name,
    type: "stone",
    fields: { name },
    createdAt: 1,
    updatedAt: 1,
    deleted: false,
  });
  const page = { rows: [row("Seen 1"), row("Seen 2")], next: undefined };
  // Of another workspace than the client will open: what was seen of it is gone as soon as that is known.
  const seen: unknown = { workspace: "another", answers: [{ type: "stone", query, page }] };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- ids are made by the engine alone
  const firstLook = Promise.resolve(seen as FirstLook);
  const Stones = () => useQuery("stone", query)?.map(({ id, fields }) => createElement("li", { key: id }, fields.name));
  const Others = () => useQuery("stone")?.map(({ id, fields }) => createElement("b", { key: id }, fields.name));
  const Page = () =>
    createElement(CairnProvider, { open: openLater, firstLook }, createElement(Stones), createElement(Others));
  const shown = mount(Page);
  await vi.waitFor(() => expect(texts(shown, "li")).toEqual(["Seen 1", "Seen 2"]));
  expect(texts(shown, "b")).toEqual([]);
  gate.resolve();
  await vi.waitFor(() => expect(texts(shown, "li")).toEqual(["Granite", "Stone 2"]), opened);
});
