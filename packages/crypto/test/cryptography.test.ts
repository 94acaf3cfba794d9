import { cryptography, replaceCryptography } from "@cairn/crypto/cryptography";
import { expect, test } from "vitest";

test("cryptography that is in use cannot be replaced", () => {
  const web = cryptography();
  expect(() => replaceCryptography({ ...web, isSignedBy: () => Promise.resolve(true) })).toThrow("in use already");
  expect(cryptography()).toBe(web);
});
