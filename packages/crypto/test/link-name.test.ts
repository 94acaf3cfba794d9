import { linkIdFromBytes, workspaceIdFromBytes } from "@cairn/protocol";
import { openLinkName, SEALED_LINK_NAME_BYTES, sealLinkName } from "@cairn/crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("link-name");
const link = {
  workspace: workspaceIdFromBytes(random(16)),
  link: linkIdFromBytes(random(16)),
  secret: random(32),
};
const seal = (name: string) => sealLinkName(link, name, random);

it("opens with the link, and every name has one length", async () => {
  for (const name of ["", "Trip", "Küche & Garten 🌱", "x".repeat(128)]) {
    const sealed = await seal(name);
    expect(sealed).toHaveLength(SEALED_LINK_NAME_BYTES);
    expect(await openLinkName(link, sealed)).toBe(name);
  }
});

it("cuts what does not fit between characters", async () => {
  const opened = await openLinkName(link, await seal("🏔️".repeat(40)));
  expect("🏔️".repeat(40).startsWith(opened)).toBe(true);
  expect(opened.isWellFormed()).toBe(true);
  expect(new TextEncoder().encode(opened).length).toBeGreaterThan(124);
});

it("opens for no other link, secret or workspace, and not when a byte was changed", async () => {
  const sealed = await seal("Trip");
  const others = [
    { ...link, secret: random(32) },
    { ...link, link: linkIdFromBytes(random(16)) },
    { ...link, workspace: workspaceIdFromBytes(random(16)) },
  ];
  for (const other of others) await expect(openLinkName(other, sealed)).rejects.toHaveProperty("_tag", "SealBroken");
  await fc.assert(
    fc.asyncProperty(fc.nat(SEALED_LINK_NAME_BYTES - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const changed = sealed.map((byte, index) => (index === at ? byte ^ change : byte));
      await expect(openLinkName(link, changed)).rejects.toHaveProperty("_tag", "SealBroken");
    }),
    { numRuns: 50 },
  );
  await expect(openLinkName(link, sealed.subarray(1))).rejects.toHaveProperty("_tag", "SealBroken");
  await expect(openLinkName(link, new Uint8Array())).rejects.toHaveProperty("_tag", "SealBroken");
});
