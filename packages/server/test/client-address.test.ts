import { describe, expect, test } from "vitest";
import { clientAddress, invalidNetwork, trustedProxies } from "../src/http/client-address.ts";

const local = trustedProxies(["127.0.0.0/8", "::1", "10.1.0.0/16"]);

describe("whose request it is", () => {
  test("the connection's address, whatever a header says, where no proxy is trusted", () => {
    expect(clientAddress("203.0.113.5", "198.51.100.1", local)).toBe("203.0.113.5");
    expect(clientAddress("203.0.113.5", undefined, local)).toBe("203.0.113.5");
  });

  test("what a trusted proxy saw, and nothing that its client made up", () => {
    expect(clientAddress("127.0.0.1", "198.51.100.1", local)).toBe("198.51.100.1");
    expect(clientAddress("::ffff:127.0.0.1", "198.51.100.1", local)).toBe("198.51.100.1");
    expect(clientAddress("127.0.0.1", "6.6.6.6, 198.51.100.1", local)).toBe("198.51.100.1");
    expect(clientAddress("127.0.0.1", "6.6.6.6, 198.51.100.1, 10.1.2.3", local)).toBe("198.51.100.1");
  });

  test("rubbish in the header ends the walk", () => {
    expect(clientAddress("127.0.0.1", "", local)).toBe("127.0.0.1");
    expect(clientAddress("127.0.0.1", "198.51.100.1, <script>", local)).toBe("127.0.0.1");
    expect(clientAddress("unknown", "198.51.100.1", local)).toBe("unknown");
  });
});

test("a network is an address, with a prefix or without", () => {
  for (const good of ["10.0.0.0/8", "192.0.2.1", "::1", "2001:db8::/32"]) expect(invalidNetwork(good)).toBeUndefined();
  for (const bad of ["", "example.org", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::1/129", "10.0.0.0/x"]) {
    expect(invalidNetwork(bad)).toEqual(expect.any(String));
  }
});
