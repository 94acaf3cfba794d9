import { defineLanguageFacet, Language, languageDataProp } from "@codemirror/language";
import { Autolink, parser, Strikethrough, Table, TaskList } from "@lezer/markdown";

/*
 * Markdown as a CodeMirror language, straight from its parser: the ready-made package would bring the grammars of
 * HTML, CSS and JavaScript along, and notes colour no program code. Inline HTML stays plain text, as it is never run.
 */

const data = defineLanguageFacet({ closeBrackets: { brackets: ["(", "[", "{", '"', "`"] } });

export const markdownLanguage = new Language(
  data,
  parser.configure([
    Strikethrough,
    Table,
    TaskList,
    Autolink,
    { remove: ["HTMLBlock", "HTMLTag"] },
    { props: [languageDataProp.add((type) => (type.isTop ? data : undefined))] },
  ]),
  [],
  "markdown",
);
