/** A word that makes readers decode a sentence, and what to write in its place. */
interface ListedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** CONTRIBUTING.md asks for the words that any engineer would use. */
const LISTED_WORDS: readonly ListedWord[] = [
  { pattern: /\btold\b/i, instead: 'say who does what: "receives", "learns", "reports"' },
  { pattern: /\bnobody\b/i, instead: '"no client", "no process", or the passive' },
  { pattern: /\bwhoever\b/i, instead: '"the caller", "a client that"' },
  { pattern: /\banew\b/i, instead: '"again"' },
  { pattern: /\bfor ever\b/i, instead: '"permanently"' },
  { pattern: /\bso many\b/i, instead: 'the number' },
  { pattern: /\bof which\b/i, instead: 'two sentences' },
  { pattern: /\bthrice\b/i, instead: '"three times"' },
  { pattern: /\bat the most\b/i, instead: '"at most"' },
  { pattern: /\bunless told\b/i, instead: '"Default: …"' },
  { pattern: /(?<!\bthere )\bis no (?!longer\b)[a-z]/i, instead: '"is not a …"' },
];

export interface Finding {
  readonly line: number;
  readonly word: string;
  readonly instead: string;
}

/** The listed words of a text, each with its line, from 1 on. */
export function findListedWords(text: string): Finding[] {
  return text.split('\n').flatMap((line, index) =>
    LISTED_WORDS.flatMap(({ pattern, instead }) => {
      const [word] = pattern.exec(line) ?? [];
      return word === undefined ? [] : [{ line: index + 1, word, instead }];
    }),
  );
}
