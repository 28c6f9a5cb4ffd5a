/**
 * HTML as a browser reads it, within bounds: an email of 100,000 nested tags, or of a million attributes, costs seconds and a
 * stack that overflows. All that reads HTML that somebody else wrote reads it by these two functions.
 */
import {
  defaultTreeAdapter,
  html as standard,
  Parser,
  Tokenizer,
  type DefaultTreeAdapterMap,
  type DefaultTreeAdapterTypes as Tree,
  type ParserOptions,
} from "parse5";

/** As many levels as Chromium draws; emails of nested tables have some 40. */
const MOST_LEVELS = 512;
/** An email that Gmail shows whole (102,400 bytes) has some 3,000. */
const MOST_ELEMENTS = 50_000;
const MOST_ATTRIBUTES = 100_000;

/** HTML beyond the bounds; `message` is a sentence that says which. */
export class TooMuchHtml extends Error {
  override readonly name = "TooMuchHtml";
}

/** Counts attributes as they begin: the tree hears of them only when their tag ends. */
class BoundedTokenizer extends Tokenizer {
  #attributes = 0;
  protected override _createAttr(firstCharacter: string): void {
    if (++this.#attributes > MOST_ATTRIBUTES) throw new TooMuchHtml(`The HTML has more than ${String(MOST_ATTRIBUTES)} attributes.`);
    super._createAttr(firstCharacter);
  }
}

type Options = ParserOptions<DefaultTreeAdapterMap>;

function bounded(onParseError: Options["onParseError"]): Options {
  let levels = 0;
  let elements = 0;
  return {
    sourceCodeLocationInfo: true,
    scriptingEnabled: false,
    onParseError: onParseError ?? null,
    treeAdapter: {
      ...defaultTreeAdapter,
      createElement(...given) {
        if (++elements > MOST_ELEMENTS) throw new TooMuchHtml(`The HTML has more than ${String(MOST_ELEMENTS)} elements.`);
        return defaultTreeAdapter.createElement(...given);
      },
      onItemPush() {
        if (++levels > MOST_LEVELS) throw new TooMuchHtml(`The HTML nests deeper than ${String(MOST_LEVELS)} elements.`);
      },
      onItemPop: () => void (levels -= 1),
    },
  };
}

/** The tree of a whole document, with places. Throws TooMuchHtml. */
export function parseDocument(html: string): Tree.Document {
  const options = bounded(null);
  const parser = new Parser<DefaultTreeAdapterMap>(options);
  parser.tokenizer = new BoundedTokenizer(parser.options, parser);
  parser.tokenizer.write(html, true);
  return parser.document;
}

/**
 * What `html` becomes as the content of an element called `parent`, with places. `onParseError` hears what is wrong with it, by
 * the names of the HTML standard. Throws TooMuchHtml.
 */
export function parseContent(html: string, parent: string, onParseError?: Options["onParseError"]): Tree.DocumentFragment {
  const context = defaultTreeAdapter.createElement(parent, standard.NS.HTML, []);
  const parser = Parser.getFragmentParser<DefaultTreeAdapterMap>(context, bounded(onParseError));
  const { state } = parser.tokenizer;
  parser.tokenizer = new BoundedTokenizer(parser.options, parser);
  parser.tokenizer.state = state;
  parser.tokenizer.write(html, true);
  return parser.getFragment();
}
