/**
 * A large picture, attached offline, goes up through a server that is killed twice: no acknowledged chunk is sent again,
 * counted from outside (rule 25). `CAIRN_PICTURE_MEGABYTES` makes it another size.
 */
import { ServerPlace, WatchingProxy } from "@cairn/testkit/server-program";
import { createHash } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { until } from "../notebook.ts";
import { WholeDevices } from "./whole-devices.ts";

const MEGABYTE = 1024 * 1024;
const megabytes = Number(process.env["CAIRN_PICTURE_MEGABYTES"] ?? 50);

const devices = new WholeDevices();
const leave: Array<() => Promise<void>> = [];
afterEach(async () => {
  await devices.closeAll();
  for (const end of leave.splice(0)) await end();
});

/** Bytes that do not compress and that a seed decides, a quarter of a megabyte at a time. */
async function* picture(): AsyncGenerator<Uint8Array> {
  let state = 0x9e3779b9;
  for (let piece = 0; piece < megabytes * 4; piece += 1) {
    const words = new Uint32Array(MEGABYTE / 16);
    for (let index = 0; index < words.length; index += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[index] = state;
    }
    yield new Uint8Array(words.buffer);
  }
}

const hashOf = async (pieces: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash("sha256");
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
};

it(
  `a picture of ${megabytes} MiB arrives, hash equal, and no acknowledged chunk is sent twice`,
  { timeout: 240_000 },
  async () => {
    const proxy = await WatchingProxy.listen();
    const place = await ServerPlace.make({ publicUrl: proxy.origin });
    proxy.target = place.origin;
    leave.push(
      () => proxy.close(),
      () => place.leave(),
    );
    const open = (name: string) => devices.open({ directory: place.beside(name), server: proxy.origin, name });
    let memory = 0;
    const watching = setInterval(() => {
      memory = Math.max(memory, process.memoryUsage().rss);
    }, 20);
    leave.push(async () => clearInterval(watching));
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const clock = performance.now();

    const laptop = await open("laptop");
    const notebook = await laptop.workspace();
    const note = await notebook.create("note", (edit) => edit.title.set("With a picture"));
    const size = megabytes * MEGABYTE;
    const attached = await notebook.attach(note.id, {
      name: "large.png",
      mediaType: "image/png",
      size,
      data: picture(),
    });
    expect(attached.state).toBe("local");
    const attachedAfter = performance.now() - clock;

    await place.start();
    notebook.syncNow();
    for (const part of [1 / 3, 2 / 3]) {
      const breakOff = await proxy.holdAfter(Math.ceil(megabytes * part));
      await place.end("SIGKILL");
      breakOff();
      expect(proxy.acknowledged).toBeLessThan(megabytes);
      await place.start();
      notebook.syncNow();
    }
    await notebook.flush({ tier: "server", timeout: 180_000 });
    const uploadedAfter = performance.now() - clock;

    expect(proxy.uploads.size).toBe(megabytes);
    expect([...proxy.uploads.values()].filter(({ acknowledged }) => acknowledged !== 1)).toEqual([]);
    expect([...proxy.uploads.values()].filter(({ again }) => again > 0)).toEqual([]);

    const { url } = await notebook.createLink({ role: "writer" });
    const phone = await open("phone");
    const joined = await phone.join(url);
    let seen = 0;
    joined.onAttachments(note.id, (attachments) => {
      seen = attachments.length;
    });
    await until(() => seen === 1);
    const received = await joined.readAttachment(note.id, attached.id);
    expect(await hashOf(received)).toBe(await hashOf(picture()));
    const readAfter = performance.now() - clock;

    const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`;
    console.info(
      `${megabytes} MiB: attached after ${seconds(attachedAfter)}, on the server after ${seconds(uploadedAfter)}, read on ` +
        `the other device after ${seconds(readAfter)}; memory of both devices, the proxy and the test grew by ` +
        `${((memory - before) / MEGABYTE).toFixed(0)} MiB`,
    );
  },
);
