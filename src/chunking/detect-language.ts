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

const SAMPLES = 8;
const SAMPLE_LENGTH = 1000;
const FEWEST_LETTERS = 20;

/** Judges samples spread over the text, so that an English cover page does not decide for all that follows. */
export function detectTextSearchConfig(text: string): string {
  const words = sample(text).replaceAll(/[^\p{L}\p{M}]+/gu, ' ');
  if (words.trim().length < FEWEST_LETTERS) return FALLBACK;
  const result = eld.detect(words);
  return (result.isReliable() ? configurations[result.language] : undefined) ?? FALLBACK;
}

function sample(text: string): string {
  const length = SAMPLES * SAMPLE_LENGTH;
  if (text.length <= length) return text;
  const step = (text.length - SAMPLE_LENGTH) / (SAMPLES - 1);
  return Array.from({ length: SAMPLES }, (_, index) => {
    const start = Math.floor(index * step);
    return text.slice(start, start + SAMPLE_LENGTH);
  }).join(' ');
}
