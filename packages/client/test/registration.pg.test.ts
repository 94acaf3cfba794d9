/** Who may bring a workspace to a server: everybody, whoever has an invitation, or nobody new. */
import { Redacted } from "effect";
import { afterEach, describe, expect, it } from "vitest";
import { makePlace, type Place, until } from "./notebook.ts";

let place: Place;
afterEach(() => place.leave());

const spring = [Redacted.make("spring"), Redacted.make("autumn")];

describe("a server that registers whoever was invited", () => {
  it("says so, freezes nothing for a link that cannot be made, and lets in whoever gives the code later", async () => {
    place = await makePlace({ registration: "invite", invites: spring });
    const laptop = await place.device("laptop");
    const notebook = await laptop.workspace();
    await notebook.create("note", (edit) => edit.title.set("Kept here"));
    await notebook.flush();
    await until(() => notebook.sync().problem?.code === "invite-invalid");
    expect(notebook.sync().status).toBe("problem");

    // The registration, and the note.
    await until(() => notebook.outbox().depth === 2);
    const waiting = notebook.sync().pendingDocuments;
    const began = performance.now();
    await expect(notebook.createLink({ role: "writer" })).rejects.toMatchObject({ code: "invite-invalid" });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(notebook.sync().pendingDocuments).toBe(waiting);

    await expect(laptop.setInvite("winter")).rejects.toMatchObject({ code: "invite-invalid" });
    await laptop.setInvite(" autumn ");
    // No longer refused, though the conversation that was refused may not have begun anew yet.
    const { url } = await notebook.createLink({ role: "writer" });
    await notebook.flush({ tier: "server", timeout: 15_000 });
    expect(notebook.sync().problem).toBeUndefined();
    // The chain has one link: what was refused before left none behind.
    expect(await notebook.links()).toHaveLength(1);

    // Whoever is invited by a link needs no code.
    const phone = await place.device("phone");
    const joined = await phone.join(url);
    await until(async () => (await joined.query("note")).length === 1);
  });

  it("lets in who opens with the code, and remembers it for the workspaces to come", async () => {
    place = await makePlace({ registration: "invite", invites: spring });
    const first = await place.device("laptop", { server: place.origin(), invite: "spring" });
    await (await first.workspace()).flush({ tier: "server", timeout: 15_000 });
    await place.close(first);
    const again = await place.device("laptop");
    const second = await again.createWorkspace({ name: "Another" });
    await second.flush({ tier: "server", timeout: 15_000 });
    expect(second.sync().problem).toBeUndefined();
  });

  it("keeps a code that was given without the network", async () => {
    place = await makePlace({ registration: "invite", invites: spring });
    await place.stopServer();
    const laptop = await place.device("laptop");
    const notebook = await laptop.workspace();
    await expect(laptop.setInvite("spring")).rejects.toMatchObject({ code: "offline" });
    await place.startServer();
    notebook.syncNow();
    await notebook.flush({ tier: "server", timeout: 15_000 });
  });

  it("takes no code that cannot be one", async () => {
    place = await makePlace({ registration: "invite", invites: spring });
    const refused = { code: "invalid-argument", argument: "invite", action: "stop" };
    const laptop = await place.device("laptop");
    for (const invite of ["", "  ", "x".repeat(201)]) {
      await expect(laptop.setInvite(invite)).rejects.toMatchObject(refused);
      await expect(place.device("phone", { invite })).rejects.toMatchObject(refused);
    }
    const alone = await place.device("alone", { server: undefined });
    await expect(alone.setInvite("spring")).rejects.toMatchObject({ code: "no-server" });
  });
});

describe("a server that is closed", () => {
  it("takes no workspace, says so at once to who wants to share, and goes on with those it has", async () => {
    place = await makePlace({ registration: "open" });
    const known = await place.device("known");
    const kept = await known.workspace();
    await kept.flush({ tier: "server", timeout: 15_000 });
    await place.stopServer();
    await place.startServer(undefined, { registration: "closed" });

    const stranger = await place.device("stranger");
    const refused = await stranger.workspace();
    await until(() => refused.sync().problem?.code === "registration-closed");
    await expect(refused.createLink({ role: "reader" })).rejects.toMatchObject({ code: "registration-closed" });
    // A code opens nothing here.
    await expect(stranger.setInvite("spring")).rejects.toMatchObject({ code: "registration-closed" });

    kept.syncNow();
    const { url } = await kept.createLink({ role: "writer" });
    const joined = await stranger.join(url);
    await joined.create("note", (edit) => edit.title.set("Guests are welcome"));
    await joined.flush({ tier: "server", timeout: 15_000 });
    await until(async () => (await kept.query("note")).length === 1);
  });
});

describe("a server that is open", () => {
  it("needs no code, and minds none", async () => {
    place = await makePlace({ registration: "open" });
    const laptop = await place.device("laptop");
    await laptop.setInvite("whatever");
    const notebook = await laptop.workspace();
    await notebook.createLink({ role: "writer" });
    expect(notebook.sync().problem).toBeUndefined();
  });
});

describe("a link that cannot be made now", () => {
  it("is refused without the server, with nothing left behind", async () => {
    place = await makePlace();
    const laptop = await place.device("laptop");
    const notebook = await laptop.workspace();
    await notebook.flush({ tier: "server", timeout: 15_000 });
    await place.stopServer();
    await until(() => notebook.sync().status === "offline");
    await expect(notebook.createLink({ role: "writer" })).rejects.toMatchObject({ code: "offline" });
    expect(notebook.sync().pendingDocuments).toBe(0);
    await place.startServer();
    notebook.syncNow();
    await notebook.createLink({ role: "writer" });
    expect(await notebook.links()).toHaveLength(1);
  });
});
