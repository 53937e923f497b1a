/** Guards over text files, streamed: strict UTF-8 for Markdown and plain text; size of the tree for HTML. */
import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { Parser } from 'htmlparser2';
import { IntakeError } from '../domain/errors.ts';
import { readHead } from './detect-media-type.ts';
import { htmlEncoding } from './html-encoding.ts';

export interface HtmlLimits {
  readonly maxNesting: number;
  /** Elements, attributes, comments and runs of text. */
  readonly maxNodes: number;
}

/** Throws `UNSUPPORTED_FILE_TYPE` for what is not UTF-8 or holds NUL. */
export async function inspectUtf8(path: string): Promise<void> {
  for await (const _text of decode(path, new TextDecoder('utf-8', { fatal: true })));
}

/** Throws `DOCUMENT_TOO_LARGE` at the first node over a limit: converters never come back from such trees. */
export async function inspectHtml(path: string, limits: HtmlLimits): Promise<void> {
  const tree = treeCounter(limits);
  for await (const text of decode(path, new TextDecoder(htmlEncoding(await readHead(path))))) {
    tree.write(text);
  }
  tree.end();
}

async function* decode(path: string, decoder: TextDecoder): AsyncGenerator<string> {
  try {
    for await (const chunk of createReadStream(path)) {
      yield refuseNul(decoder.decode(chunk, { stream: true }));
    }
    yield refuseNul(decoder.decode());
  } catch (error) {
    if (error instanceof TypeError) throw notText(error);
    throw error;
  }
}

function refuseNul(text: string): string {
  if (text.includes('\0')) throw notText();
  return text;
}

function notText(cause?: unknown): IntakeError {
  return new IntakeError('UNSUPPORTED_FILE_TYPE', {
    detail: 'bytes that are no text',
    ...(cause === undefined ? {} : { cause }),
  });
}

function treeCounter({ maxNesting, maxNodes }: HtmlLimits): Parser {
  let nesting = 0;
  let nodes = 0;
  const count = (): void => {
    nodes += 1;
    if (nodes > maxNodes) throw tooLarge(`over ${maxNodes} HTML nodes`);
  };
  return new Parser({
    onopentagname() {
      count();
      nesting += 1;
      if (nesting > maxNesting) throw tooLarge(`HTML nested over ${maxNesting} deep`);
    },
    onclosetag() {
      nesting -= 1;
    },
    onattribute: count,
    ontext: count,
    oncomment: count,
  });
}

function tooLarge(detail: string): IntakeError {
  return new IntakeError('DOCUMENT_TOO_LARGE', { detail });
}
