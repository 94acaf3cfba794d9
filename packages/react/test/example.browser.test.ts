import { createElement, StrictMode } from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "./example/App.tsx";

let root: Root | undefined;
afterEach(() => root?.unmount());

const mount = (): HTMLElement => {
  const element = document.body.appendChild(document.createElement("div"));
  const made = createRoot(element);
  root = made;
  flushSync(() => made.render(createElement(StrictMode, undefined, createElement(App))));
  return element;
};
const items = (element: HTMLElement): ReadonlyArray<string> =>
  [...element.querySelectorAll("li")].map((item) => item.textContent);

test("the README's app adds to a live list, which is there again when the app is opened anew", async () => {
  const first = mount();
  await vi.waitFor(() => expect(first.textContent).toBe("Opening"));
  const add = await vi.waitUntil(() => first.querySelector("button"), { timeout: 20_000 });
  add.click();
  await vi.waitUntil(() => items(first).length === 1);
  add.click();
  await vi.waitFor(() => expect(items(first)).toEqual(["Stone 1", "Stone 2"]));
  root?.unmount();
  const again = mount();
  await vi.waitFor(() => expect(items(again)).toEqual(["Stone 1", "Stone 2"]), { timeout: 20_000 });
});
