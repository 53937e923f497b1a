/** Answers and refusals in OpenAI's shape, and the faults that spoil an answer. */
import type { NamedFault } from '../fault-rules.ts';
import type { EmbeddedText } from './embedding-model.ts';

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, { param = null, code = null }: RefusalDetail = {}) {
    super(message);
    this.status = status;
    this.body = { error: { message, type: 'invalid_request_error', param, code } };
  }
}

interface RefusalDetail {
  readonly param?: string | null;
  readonly code?: string | null;
}

export type EncodingFormat = 'float' | 'base64';

interface Entry {
  readonly object: 'embedding';
  readonly index: number;
  readonly embedding: readonly (number | null)[] | string;
}

/** Effects of `embeddings.create`; `stall` sends the headers and half a body, and then nothing. */
export const answerFaults = [
  'reorder',
  'double',
  'drop',
  'truncate',
  'zero',
  'not-finite',
  'stall',
];

export function embeddingList(
  model: string,
  embedded: readonly EmbeddedText[],
  { format, fault }: { format: EncodingFormat; fault: NamedFault | undefined },
) {
  const tokens = embedded.reduce((sum, { tokens: own }) => sum + own, 0);
  const data = embedded.map(({ vector }, index): Entry => {
    const spoilt = index === 0 ? spoil(vector, fault) : Array.from(vector);
    return { object: 'embedding', index, embedding: encode(spoilt, format) };
  });
  return {
    object: 'list',
    data: rearrange(data, fault),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

/** Floats as OpenAI packs them: 32 bits each, little-endian. */
function encode(values: readonly number[], format: EncodingFormat): Entry['embedding'] {
  if (format === 'float') return values;
  return Buffer.from(Float32Array.from(values).buffer).toString('base64');
}

/** JSON has no NaN: it goes out as `null`, as broken servers do. */
function spoil(vector: Float32Array, fault: NamedFault | undefined): number[] {
  const values = Array.from(vector);
  switch (fault?.name) {
    case 'truncate':
      return values.slice(0, fault.value ?? -1);
    case 'zero':
      return values.fill(0);
    case 'not-finite':
      return values.with(0, Number.NaN);
    default:
      return values;
  }
}

function rearrange(data: readonly Entry[], fault: NamedFault | undefined): readonly Entry[] {
  switch (fault?.name) {
    case 'reorder':
      return data.toReversed();
    case 'double':
      return data.map((entry) => ({ ...entry, index: 0 }));
    case 'drop':
      return data.slice(0, -1);
    default:
      return data;
  }
}
