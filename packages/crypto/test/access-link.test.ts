import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccessLink,
  AccessLinkInvalid,
  encodeAccessLink,
  linkKeysFromSecret,
  parseAccessLink,
} from "@cairn/crypto";
import { linkIdFromBytes, workspaceIdFromBytes } from "@cairn/protocol";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("access-link");
const workspace = workspaceIdFromBytes(random(16));
const link: AccessLink = {
  server: "https://notes.example:8443",
  workspace,
  link: linkIdFromBytes(random(16)),
  role: "reader",
  secret: random(32),
};
const url = encodeAccessLink(link);
const codeOf = (text: string): string => {
  try {
    parseAccessLink(text);
    return "parsed";
  } catch (error) {
    return error instanceof AccessLinkInvalid ? error.code : "another error";
  }
};

describe("an access link", () => {
  it("comes back from its URL, with white space around it and below a path too", () => {
    expect(parseAccessLink(url)).toEqual(link);
    expect(parseAccessLink(`\n ${url}  `)).toEqual(link);
    const below = { ...link, server: "http://localhost:4780/cairn" };
    expect(parseAccessLink(encodeAccessLink(below))).toEqual(below);
    expect(encodeAccessLink({ ...link, server: "https://notes.example:8443/" })).toBe(url);
  });

  it("keeps everything of it behind the #, which no browser sends", () => {
    const { hash, pathname, search } = new URL(url);
    expect(pathname).toBe("/join");
    expect(search).toBe("");
    expect(hash).toHaveLength(1 + Math.ceil((70 * 4) / 3));
  });

  it("says what is wrong with it", () => {
    expect(codeOf("")).toBe("link-not-one");
    expect(codeOf("hello")).toBe("link-not-one");
    expect(codeOf("javascript:alert(1)//join#AAAA")).toBe("link-not-one");
    expect(codeOf("https://notes.example:8443/join")).toBe("link-not-one");
    expect(codeOf(url.replace("/join", "/notes"))).toBe("link-not-one");
    for (let length = url.indexOf("#") + 2; length < url.length; length += 1)
      expect(codeOf(url.slice(0, length))).toBe("link-incomplete");
    expect(codeOf(`${url}x`)).toBe("link-damaged");
    const newer = url.replace(/#A./u, "#Ag");
    expect(codeOf(newer)).toBe("link-version");
    expect(codeOf(newer.slice(0, -20))).toBe("link-version");
    expect(codeOf(`${url.slice(0, -1)}%20`)).toBe("link-damaged");
  });

  it("is damaged whichever character changes", () => {
    const start = url.indexOf("#") + 1;
    fc.assert(
      fc.property(
        fc.integer({ min: start, max: url.length - 1 }),
        fc.constantFrom("A", "Z", "a", "z", "0", "9", "-", "_"),
        (index, character) => {
          fc.pre(url[index] !== character);
          const code = codeOf(`${url.slice(0, index)}${character}${url.slice(index + 1)}`);
          expect(["link-damaged", "link-version"]).toContain(code);
        },
      ),
    );
  });

  it("yields keys from its secret and its workspace", async () => {
    const keys = await linkKeysFromSecret(workspace, link.secret);
    expect(await linkKeysFromSecret(workspace, link.secret)).toMatchObject({
      link: keys.link,
      signing: { publicKey: keys.signing.publicKey },
      agreement: { publicKey: keys.agreement.publicKey },
    });
    const elsewhere = await linkKeysFromSecret(workspaceIdFromBytes(random(16)), link.secret);
    expect(elsewhere.signing.publicKey).not.toBe(keys.signing.publicKey);
    expect(elsewhere.agreement.publicKey).not.toBe(keys.agreement.publicKey);
    await expect(linkKeysFromSecret(workspace, link.secret.subarray(1))).rejects.toMatchObject({ code: "key-length" });
  });
});
