/** Documents on their road: one redrawn bar each on a terminal, elsewhere a line for each change of stage. */
import cliProgress from 'cli-progress';
import { isTerminal, type Stage } from '../domain/ingestion.ts';
import type { DocumentDetail } from './api-client.ts';
import { oneLine } from './plain-text.ts';

/** What output goes to: a terminal, or a file or pipe. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
};

/** What is shown of a document; of a stranger's, which an operator sees, less is known. */
export type Showable = Pick<DocumentDetail, 'status' | 'stage' | 'progressPercent'> & {
  readonly waiting?: { readonly message: string } | undefined;
  readonly error?: { readonly message: string } | undefined;
  readonly confirmedAt?: string | undefined;
};

export interface DocumentProgress {
  /** `label` names the document for the person who gave it. */
  show(label: string, document: Showable): void;
  /** The last word on a document that has ended. */
  end(label: string, sentence: string): void;
  /** A line of something else, put above the bars. */
  log(line: string): void;
  /** Leaves the terminal as it was. */
  stop(): void;
}

const stageWords = {
  verify: 'sent, being verified',
  parse: 'handing over to the parser',
  collect: 'parsing',
  chunk: 'cutting into chunks',
  embed: 'embedding',
  complete: 'complete',
} as const satisfies Record<Stage, string>;

const LABEL_WIDTH = 46;
const LEAST_LABEL_WIDTH = 16;
/** Bar and percent beside a label, with the blanks between them. */
const BAR_WIDTH = 30;
/** These and the longest stage. */
const BAR_AND_WORDS_WIDTH = 58;

/** Bars that do not fit on the screen at once cannot be redrawn; of endlessly many, as many as fit are shown. */
export function createDocumentProgress(stream: OutputStream, documents = 1): DocumentProgress {
  if (!stream.isTTY) return lines(stream);
  if (documents === Number.POSITIVE_INFINITY) return bars(stream, 'make room');
  return documents < (stream.rows ?? 24) ? bars(stream, 'stay') : lines(stream);
}

function lines(stream: NodeJS.WritableStream): DocumentProgress {
  const begunAtMs = Date.now();
  const shown = new Map<string, string>();
  const print = (label: string, words: string) => {
    const seconds = ((Date.now() - begunAtMs) / 1000).toFixed(1).padStart(6);
    stream.write(`${seconds} s  ${fit(label)}  ${oneLine(words)}\n`);
  };
  return {
    show(label, document) {
      const words = describe(document);
      if (isTerminal(document.status) || shown.get(label) === words) return;
      shown.set(label, words);
      print(label, words);
    },
    end: print,
    log: (line) => void stream.write(`${line}\n`),
    stop: () => undefined,
  };
}

function bars(stream: OutputStream, ended: 'stay' | 'make room'): DocumentProgress {
  const columns = stream.columns ?? 80;
  const width = Math.max(LEAST_LABEL_WIDTH, Math.min(LABEL_WIDTH, columns - BAR_AND_WORDS_WIDTH));
  const shown = new Map<string, cliProgress.SingleBar>();
  const container = new cliProgress.MultiBar(
    {
      stream,
      format: '{label}  {bar} {percentage}%  {words}',
      barsize: 20,
      hideCursor: true,
      gracefulExit: false, // signals are the caller's
      autopadding: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const room = ended === 'stay' ? Number.POSITIVE_INFINITY : (stream.rows ?? 24) - 1;
  const draw = (label: string, percent: number | undefined, sentence: string) => {
    if (!shown.has(label) && shown.size >= room) return;
    const words = cut(oneLine(sentence), columns - width - BAR_WIDTH);
    const bar =
      shown.get(label) ?? container.create(100, 0, { label: fit(label, width), words: '' });
    shown.set(label, bar);
    if (percent === undefined) bar.update({ words });
    else bar.update(percent, { words });
  };
  /** What is logged stands above the bars with their next drawing. */
  const leave = (label: string, sentence: string) => {
    const bar = shown.get(label);
    shown.delete(label);
    container.log(`${fit(label, width)}  ${oneLine(sentence)}\n`);
    if (bar) container.remove(bar);
    else container.update();
  };
  return {
    show: (label, document) => draw(label, document.progressPercent, describe(document)),
    end: (label, sentence) =>
      ended === 'stay' ? draw(label, undefined, sentence) : leave(label, sentence),
    log: (line) => container.log(`${line}\n`),
    stop: () => container.stop(),
  };
}

function describe({ stage, status, waiting, error, confirmedAt }: Showable): string {
  if (error !== undefined) return error.message;
  if (waiting !== undefined) return waiting.message;
  if (status === 'awaiting_upload' && confirmedAt === undefined) return 'waiting for the bytes';
  return stage === undefined ? status : stageWords[stage];
}

/** A path tells the most by its end. */
function fit(label: string, width: number = LABEL_WIDTH): string {
  const characters = [...oneLine(label)];
  if (characters.length <= width) return characters.join('').padEnd(width);
  return `…${characters.slice(1 - width).join('')}`;
}

/** A sentence tells the most by its beginning; the whole of it follows below the bars. */
function cut(words: string, width: number): string {
  const characters = [...words];
  return characters.length <= width ? words : `${characters.slice(0, width - 1).join('')}…`;
}
