import { describe } from "vitest";
import { knownAnswers } from "./known-answers.ts";

describe("known answers", () => {
  knownAnswers();
});
