/** The guide's examples (`docs/migrations.md`), as they stand there. */
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

import {
  defineDocument,
  defineSchema,
  editDocument,
  evolveSchema,
  extractedFrom,
  field,
  readDocument,
  writeContribution,
} from "@cairn/schema";
import { checkSchema } from "@cairn/schema/guard";

const v1 = defineSchema({
  version: 1,
  documents: {
    recipe: defineDocument({
      fields: {
        name: field.string({ list: true, searchable: true }),
        vegan: field.boolean({ list: true }),
        author: field.string(),
        method: field.text(),
        ingredients: field.text(),
        source: field.string(),
      },
    }),
  },
});

const v2 = evolveSchema(v1, {
  version: 2,
  documents: {
    recipe: defineDocument({
      fields: {
        title: field.string({ list: true, searchable: true }),
        vegan: field.boolean({ list: true }),
        author: field.string(),
        method: field.text(),
        ingredients: field.text(),
        servings: field.integer({ default: 4 }),
      },
    }),
  },
  steps: (step) => [
    step.rename("recipe", { from: "name", to: "title" }),
    step.add("recipe", "servings"),
    step.remove("recipe", "source"),
  ],
});

const v3 = evolveSchema(v2, {
  version: 3,
  documents: {
    recipe: defineDocument({
      fields: {
        title: field.string({ list: true, searchable: true }),
        diet: field.string({ default: "any", list: true }),
        first: field.string(),
        last: field.string(),
        method: field.text(),
        ingredients: field.text(),
        servings: field.integer({ default: 4 }),
      },
    }),
  },
  steps: (step) => [
    step.convert("recipe", {
      from: "vegan",
      to: "diet",
      up: (vegan) => (vegan ? "vegan" : "any"),
      down: (diet) => diet === "vegan",
    }),
    step.split("recipe", {
      from: "author",
      to: ["first", "last"],
      up: (author) => {
        const space = author.lastIndexOf(" ");
        const isName = space > 0 && space < author.length - 1;
        return isName ? { first: author.slice(0, space), last: author.slice(space + 1) } : { first: author, last: "" };
      },
      down: ({ first, last }) => (last === "" ? first : `${first} ${last}`),
    }),
  ],
});

const Ingredient = Schema.Struct({ id: Schema.String, what: Schema.String, amount: Schema.String });

const v4 = evolveSchema(v3, {
  version: 4,
  documents: {
    recipe: defineDocument({
      fields: {
        title: field.string({ list: true, searchable: true }),
        diet: field.string({ default: "any", list: true }),
        first: field.string(),
        last: field.string(),
        method: field.text(),
        ingredients: field.movableList(Ingredient),
        servings: field.integer({ default: 4 }),
      },
    }),
  },
  steps: (step) => [
    step.change("recipe", {
      from: ["ingredients"],
      to: ["ingredients"],
      up: ({ ingredients }) => ({
        ingredients: ingredients
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map((line, index, lines) => ({
            id: `${line}#${lines.slice(0, index).filter((other) => other === line).length}`,
            what: line,
            amount: "",
          })),
      }),
    }),
  ],
});

const v5 = evolveSchema(v4, {
  version: 5,
  documents: {
    recipe: defineDocument({
      fields: {
        title: field.string({ list: true, searchable: true }),
        diet: field.string({ default: "any", list: true }),
        first: field.string(),
        last: field.string(),
        method: field.text(),
        servings: field.integer({ default: 4 }),
      },
    }),
    ingredient: defineDocument({
      fields: {
        what: field.string({ list: true, searchable: true }),
        amount: field.string({ list: true }),
        recipe: field.reference("recipe", { list: true, filterable: true }),
      },
    }),
  },
  steps: (step) => [
    step.addType("ingredient"),
    step.extract("recipe", {
      from: ["ingredients"],
      into: "ingredient",
      to: ["what", "amount", "recipe"],
      up: ({ ingredients }, recipe) =>
        ingredients.map(({ id, what, amount }) => ({ key: id, values: { what, amount, recipe } })),
      accept: ["schema/drops-duplicates"],
    }),
  ],
});

const orders1 = defineSchema({
  version: 1,
  documents: {
    order: defineDocument({ fields: { customer: field.reference("customer"), phone: field.string() } }),
    customer: defineDocument({ fields: { name: field.string({ list: true }) } }),
  },
});

const orders2 = evolveSchema(orders1, {
  version: 2,
  documents: {
    order: defineDocument({ fields: { customer: field.reference("customer") } }),
    customer: defineDocument({ fields: { name: field.string({ list: true }), phones: field.set(Schema.String) } }),
  },
  steps: (step) => [
    step.extract("order", {
      from: ["phone"],
      reading: ["customer"],
      into: "customer",
      to: ["phones"],
      up: ({ phone, customer }) =>
        customer === null || phone === "" ? [] : [{ document: customer, values: { phones: [phone] } }],
      combine: (said) => ({ phones: [...new Set(said.flatMap(({ phones }) => phones))] }),
    }),
  ],
});

const book = defineDocument({ fields: { title: field.string({ list: true }) } });
const loan = { book: field.reference("book"), to: field.string() };

const shelf1 = defineSchema({ version: 1, documents: { book, loan: defineDocument({ fields: loan }) } });

const shelf2 = evolveSchema(shelf1, {
  version: 2,
  documents: { book, loan: defineDocument({ fields: loan, deprecated: true }) },
  steps: (step) => [step.deprecateType("loan")],
});

const shelf3 = evolveSchema(shelf2, {
  version: 3,
  documents: { book },
  steps: (step) => [step.removeType("loan")],
});

test("another form of a value", () => {
  const soup = new LoroDoc();
  editDocument(v3.documents.recipe, soup).diet.set("vegetarian");
  expect(readDocument(v1.documents.recipe, soup).vegan).toEqual(false);

  editDocument(v1.documents.recipe, soup).vegan.set(false);
  expect(readDocument(v3.documents.recipe, soup).diet).toEqual("vegetarian");

  editDocument(v1.documents.recipe, soup).vegan.set(true);
  expect(readDocument(v3.documents.recipe, soup).diet).toEqual("vegan");
});

test("from a text to a list, and an older app a year later", () => {
  const bread = new LoroDoc();
  editDocument(v3.documents.recipe, bread).ingredients.insert(0, "flour\nwater");
  editDocument(v4.documents.recipe, bread).ingredients.replace(1, { id: "water#0", what: "water", amount: "300 g" });
  bread.commit();

  // An older app, a year later.
  editDocument(v3.documents.recipe, bread).ingredients.insert(0, "yeast\n");
  bread.commit();

  expect(readDocument(v4.documents.recipe, bread).ingredients).toEqual([
    { id: "yeast#0", what: "yeast", amount: "" },
    { id: "flour#0", what: "flour", amount: "" },
    { id: "water#0", what: "water", amount: "300 g" },
  ]);
  expect(readDocument(v3.documents.recipe, bread).ingredients).toEqual("yeast\nflour\nwater");
});

test("two devices that turn the text into a list at the same moment end with one list", () => {
  const doc = new LoroDoc();
  editDocument(v3.documents.recipe, doc).ingredients.insert(0, "flour\nwater");
  doc.commit();
  const [one, two] = [doc.fork(), doc.fork()];
  // The one knows of a line that the other does not.
  editDocument(v3.documents.recipe, one).ingredients.insert(0, "yeast\n");
  one.commit();
  for (const [device, id] of [
    [one, "salt"],
    [two, "oil"],
  ] as const) {
    editDocument(v4.documents.recipe, device).ingredients.push({ id, what: id, amount: "" });
    device.commit();
  }
  one.import(two.export({ mode: "update" }));
  two.import(one.export({ mode: "update" }));
  const { ingredients } = readDocument(v4.documents.recipe, one);
  expect(readDocument(v4.documents.recipe, two).ingredients).toEqual(ingredients);
  expect(ingredients.map(({ id }) => id).toSorted()).toEqual(["flour#0", "oil", "salt", "water#0", "yeast#0"]);
});

test("a field that moves to another document", () => {
  const [ada, customer] = ["EXAMPLEEXAMPLEEXAMPLEA", new LoroDoc()];
  editDocument(orders1.documents.customer, customer).name.set("Ada");
  for (const [id, phone] of [
    ["ORDERAORDERAORDERAORDA", "12"],
    ["ORDERBORDERBORDERBORDA", "34"],
    ["ORDERCORDERCORDERCORDA", "12"],
    ["ORDERDORDERDORDERDORDA", ""],
  ] as const) {
    const order = new LoroDoc();
    const edit = editDocument(orders1.documents.order, order);
    edit.customer.set(ada);
    edit.phone.set(phone);
    order.commit();
    for (const said of extractedFrom(orders2, "order", order, id, 0)) {
      expect(said.target).toEqual({ document: ada });
      writeContribution(customer, id, said);
    }
  }
  customer.commit();
  expect(readDocument(orders2.documents.customer, customer)).toEqual({ name: "Ada", phones: ["12", "34"] });
  expect(readDocument(orders1.documents.customer, customer)).toEqual({ name: "Ada" });
});

test("ending a type", () => {
  expect(shelf2.documents.loan.deprecated).toBe(true);
  expect(Object.keys(shelf3.documents)).toEqual(["book"]);
  const again = () =>
    evolveSchema(shelf3, {
      version: 4,
      documents: { book, loan: defineDocument({ fields: loan }) },
      steps: (step) => [step.addType("loan")],
    });
  expect(again).toThrow("an earlier version had a type of that name");
});

test("from one document to several", () => {
  const doc = new LoroDoc();
  editDocument(v1.documents.recipe, doc).ingredients.insert(0, "flour\nwater");
  doc.commit();
  const recipe = "EXAMPLEEXAMPLEEXAMPLEA";
  const said = extractedFrom(v5, "recipe", doc, recipe, 0);
  expect(said.map(({ target }) => target)).toEqual([{ key: "flour#0" }, { key: "water#0" }]);
  const ingredients = said.map((one) => {
    const ingredient = new LoroDoc();
    writeContribution(ingredient, recipe, one);
    ingredient.commit();
    return readDocument(v5.documents.ingredient, ingredient);
  });
  expect(ingredients).toEqual([
    { what: "flour", amount: "", recipe },
    { what: "water", amount: "", recipe },
  ]);
});

test("any number of versions", () => {
  const doc = new LoroDoc();
  const old = editDocument(v1.documents.recipe, doc);
  old.name.set("Flat bread");
  old.author.set("Ada Lovelace");
  old.source.set("Grandmother");
  old.ingredients.insert(0, "flour\nwater");
  doc.commit();

  expect(readDocument(v4.documents.recipe, doc)).toEqual({
    title: "Flat bread",
    diet: "any",
    first: "Ada",
    last: "Lovelace",
    method: "",
    servings: 4,
    ingredients: [
      { id: "flour#0", what: "flour", amount: "" },
      { id: "water#0", what: "water", amount: "" },
    ],
  });

  const edit = editDocument(v4.documents.recipe, doc);
  edit.diet.set("vegetarian");
  edit.ingredients.push({ id: "salt", what: "salt", amount: "a pinch" });
  doc.commit();

  expect(readDocument(v1.documents.recipe, doc)).toEqual({
    name: "Flat bread",
    vegan: false,
    author: "Ada Lovelace",
    method: "",
    ingredients: "flour\nwater",
    source: "Grandmother",
  });
  expect(readDocument(v4.documents.recipe, doc)).toMatchObject({ diet: "vegetarian" });
  expect(readDocument(v4.documents.recipe, doc).ingredients.map(({ id }) => id)).toEqual([
    "flour#0",
    "water#0",
    "salt",
  ]);
});

/** What an example says a line gives is an expectation here. */
const expecting = (example: string): string =>
  example.replaceAll(
    /^(readDocument\(.*);\n((?:\/\/ .*\n)+)/gm,
    (_, read: string, given: string) => `expect(${read}).toEqual(${given.replaceAll(/^\/\/ /gm, "")});\n`,
  );

/** Code without what formatting adds. */
const bare = (code: string): string => code.replaceAll(/[\s,]+/g, "").replaceAll(/[()]/g, "");

test("the examples are those of the guide", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../../docs/migrations.md"), "utf8");
  const own = bare(await readFile(import.meta.filename, "utf8"));
  const examples = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  expect(examples).toHaveLength(10);
  for (const example of examples) expect(own).toContain(bare(expecting(example)));
});

test("a conversion that cuts at the first space would not give back what an older app wrote", () => {
  const { recipe } = v3.documents;
  const doc = new LoroDoc();
  for (const author of ["", " ", "Ada ", " Ada", "Ada King Lovelace"]) {
    editDocument(v1.documents.recipe, doc).author.set(author);
    const { first, last } = readDocument(recipe, doc);
    const edit = editDocument(recipe, doc);
    edit.first.set(first);
    edit.last.set(last);
    doc.commit();
    expect(readDocument(v1.documents.recipe, doc).author).toBe(author);
  }
});

test("the guide's steps owe nothing, and the shorter split that it warns of does", () => {
  const options = { record: {}, hash: (text: string) => text, seed: 1, runs: 400 };
  const defects = (schema: Parameters<typeof checkSchema>[0]) =>
    checkSchema(schema, options).filter(({ severity }) => severity !== "note");
  expect(defects(v4)).toEqual([]);
  // Items that share an id become one document, and the step accepts that.
  expect(defects(v5)).toEqual([]);
  expect(defects(orders2)).toEqual([]);
  expect(defects(shelf3)).toEqual([]);
  const { author: _author, ...rest } = v1.documents.recipe.fields;
  const shorter = evolveSchema(v1, {
    version: 2,
    documents: { recipe: defineDocument({ fields: { ...rest, first: field.string(), last: field.string() } }) },
    steps: (step) => [
      step.split("recipe", {
        from: "author",
        to: ["first", "last"],
        up: (author) => {
          const [first = "", ...last] = author.split(" ");
          return { first, last: last.join(" ") };
        },
        down: ({ first, last }) => (last === "" ? first : `${first} ${last}`),
      }),
    ],
  });
  expect(defects(shorter)).toMatchObject([{ code: "schema/law", path: "recipe.first, recipe.last" }]);
});
