/** The Postgres text search configuration that fits a text's language. */
import { eld } from 'eld/extrasmall';

/** Snowball configurations that Postgres 15 and later carry, by ISO 639-1 code. */
const configurations: Readonly<Record<string, string>> = {
  ar: 'arabic',
  ca: 'catalan',
  da: 'danish',
  de: 'german',
  el: 'greek',
  en: 'english',
  es: 'spanish',
  eu: 'basque',
  fi: 'finnish',
  fr: 'french',
  hi: 'hindi',
  hu: 'hungarian',
  hy: 'armenian',
  it: 'italian',
  lt: 'lithuanian',
  nl: 'dutch',
  no: 'norwegian',
  pt: 'portuguese',
  ro: 'romanian',
  ru: 'russian',
  sr: 'serbian',
  sv: 'swedish',
  ta: 'tamil',
  tr: 'turkish',
};

/** Without stemming and stop words: right for no language and wrong for none. */
const FALLBACK = 'simple';

const SAMPLES = 9;
/** The detector reads no further. */
const SAMPLE_LENGTH = 1000;
const FEWEST_LETTERS = 20;

/** Samples spread over the text vote, so that an English cover page does not decide for all that follows. */
export function detectTextSearchConfig(text: string): string {
  const votes = new Map<string, number>();
  for (const sample of samplesOf(text)) {
    const configuration = configurationOf(sample);
    if (configuration !== undefined) votes.set(configuration, (votes.get(configuration) ?? 0) + 1);
  }
  const [winner] = [...votes].toSorted(([, a], [, b]) => b - a);
  return winner?.[0] ?? FALLBACK;
}

function samplesOf(text: string): readonly string[] {
  const step = Math.max(SAMPLE_LENGTH, Math.floor(text.length / SAMPLES));
  return Array.from({ length: SAMPLES }, (_, index) =>
    text.slice(index * step, index * step + SAMPLE_LENGTH),
  );
}

function configurationOf(sample: string): string | undefined {
  const words = sample.replaceAll(/[^\p{L}\p{M}]+/gu, ' ').trim();
  if (words.length < FEWEST_LETTERS) return undefined;
  const result = eld.detect(words);
  return result.isReliable() ? (configurations[result.language] ?? FALLBACK) : undefined;
}
