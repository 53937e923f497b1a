/**
 * Packs blocks into chunks of at most `maxTokens`: whole blocks where they fit, else parts by their best
 * cuts. A heading stays with what follows it, and starts a new chunk unless the one before is very short.
 */
import type { Block } from './read-blocks.ts';
import { type Limits, type Unit, Units } from './units.ts';

export interface PackedChunk {
  readonly start: number;
  readonly end: number;
  readonly headingPath: readonly string[];
  readonly prefix: string;
  readonly tokenCount: number;
}

/** A chunk in the making. `tokens` adds up its units' estimates; they are proved when it is closed. */
interface Draft {
  readonly units: readonly Unit[];
  readonly prefix: string;
  readonly tokens: number;
}

const empty: Draft = { units: [], prefix: '', tokens: 0 };

/** Below this share of the limit a chunk takes in the next section too. */
const SHORT = Number(process.env['SHORT'] ?? 0.25);

/** Up to this share of the limit is filled with a part of what is too long, rather than closed. */
const HALF = 0.5;

export function* packBlocks(
  markdown: string,
  blocks: Iterable<Block>,
  limits: Limits,
): Generator<PackedChunk> {
  const packer = new Packer(markdown, limits);
  for (const block of blocks) yield* packer.add(block);
  yield* packer.finish();
}

class Packer {
  readonly #markdown: string;
  readonly #limits: Limits;
  readonly #units: Units;
  /** Taken from the end. */
  readonly #waiting: Unit[] = [];
  #draft = empty;

  constructor(markdown: string, limits: Limits) {
    this.#markdown = markdown;
    this.#limits = limits;
    this.#units = new Units(markdown, limits);
  }

  *add(block: Block): Generator<PackedChunk> {
    this.#waiting.push(...this.#units.ofBlock(block));
    yield* this.#work();
  }

  *finish(): Generator<PackedChunk> {
    while (this.#draft !== empty) {
      yield* this.#seal();
      yield* this.#work();
    }
  }

  *#work(): Generator<PackedChunk> {
    for (let unit = this.#waiting.pop(); unit !== undefined; unit = this.#waiting.pop()) {
      if (this.#startsSection(unit)) {
        this.#waiting.push(unit);
        yield* this.#seal();
      } else if (!this.#take(unit)) {
        if (this.#mustDivide(unit)) {
          this.#waiting.push(...this.#units.divide(unit).toReversed());
        } else {
          this.#waiting.push(unit);
          this.#giveBackHeadings();
          yield* this.#seal();
        }
      }
    }
  }

  #startsSection(unit: Unit): boolean {
    const { units, tokens } = this.#draft;
    return isHeading(unit) && !units.every(isHeading) && tokens >= SHORT * this.#limits.maxTokens;
  }

  /** Takes the unit into the draft if it fits. */
  #take(unit: Unit): boolean {
    const { maxTokens } = this.#limits;
    const [first] = this.#draft.units;
    if (first === undefined) {
      const { prefix, tokens } = this.#prefixFor(unit);
      const total = tokens + unit.tokens;
      if (total <= maxTokens) this.#draft = { units: [unit], prefix, tokens: total };
      return total <= maxTokens;
    }
    const { units, prefix, tokens } = this.#draft;
    const total = tokens + unit.tokens;
    const fits = total <= maxTokens && unit.end - first.start <= this.#units.maxLength;
    if (fits) this.#draft = { units: [...units, unit], prefix, tokens: total };
    return fits;
  }
  ...
}
