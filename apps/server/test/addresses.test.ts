import { describe, expect, test } from "vitest";
import { insecureAdvice, workingAddresses } from "../src/addresses.ts";

const addresses = (options: Partial<Parameters<typeof workingAddresses>[0]>) =>
  workingAddresses({ host: "127.0.0.1", port: 4780, https: false, publicUrl: undefined, ownAddresses: [], ...options });

describe("rule 29: which addresses work, and what to do about the others", () => {
  test("the machine itself is a secure context", () => {
    const found = addresses({});
    expect(found).toEqual({ urls: ["http://localhost:4780"], insecure: [] });
    expect(insecureAdvice(found, 4780)).toBeUndefined();
  });

  test("another address without TLS is not, and the advice names the remedies", () => {
    const found = addresses({ host: "0.0.0.0", ownAddresses: ["192.168.1.5"] });
    expect(found.urls).toEqual(["http://localhost:4780", "http://192.168.1.5:4780"]);
    expect(found.insecure).toEqual(["http://192.168.1.5:4780"]);
    const advice = insecureAdvice(found, 4780);
    expect(advice).toContain("CAIRN_TLS_CERT");
    expect(advice).toContain("CAIRN_PUBLIC_URL");
  });

  test("with TLS, or behind a proxy that has it, there is nothing to say", () => {
    expect(addresses({ host: "192.168.1.5", https: true }).insecure).toEqual([]);
    const proxied = addresses({ publicUrl: "https://notes.example.org" });
    expect(proxied.urls[0]).toBe("https://notes.example.org");
    expect(proxied.insecure).toEqual([]);
  });

  test("addresses of version 6 are written in brackets", () => {
    expect(addresses({ host: "fd00::1" }).urls).toEqual(["http://[fd00::1]:4780"]);
  });
});
