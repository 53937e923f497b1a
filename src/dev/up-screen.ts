/** What `up` says: to the terminal, or past stdout when that is for JSON alone. */
import { relative } from 'node:path';
import {
  createDocumentProgress,
  type DocumentProgress,
  type OutputStream,
} from '../cli/document-progress.ts';
import { plainText } from '../cli/plain-text.ts';
import { errorCodes, IntakeError } from '../domain/errors.ts';
import type { Answer } from './main-job.ts';
import type { StackUrls } from './pid-file.ts';
import type { Death } from './supervisor.ts';

const labels: Readonly<Record<string, string>> = {
  postgres: 'Postgres',
  schema: 'Schema',
  temporal: 'Temporal',
  storage: 'Storage',
  parser: 'Parser',
  embedding: 'Embedder',
  worker: 'Worker',
  api: 'API',
};

export interface Screen {
  line(text?: string): void;
  ready(part: string, fact: string): void;
  died(death: Death): void;
  revived(part: string): void;
  failed(error: unknown): void;
  answer(question: string, answer: Answer | undefined): void;
  addresses(urls: StackUrls, more: { readonly runUrl?: string; readonly tokenFile?: string }): void;
  /** Lines that come meanwhile are put above its bars. */
  documents(count: number): DocumentProgress;
  /** Leaves the terminal as it was; safe to repeat. */
  endProgress(): void;
}

export function createScreen(stream: OutputStream): Screen {
  const begunAtMs = Date.now();
  let progress: DocumentProgress | undefined;
  // A terminal that was closed or a pipe that ended must not keep the children from being stopped.
  stream.on('error', () => undefined);

  const endProgress = () => {
    progress?.stop();
    progress = undefined;
  };
  const line = (text = '') => {
    if (progress === undefined) stream.write(`${text}\n`);
    else progress.log(text);
  };
  const fact = (part: string, words: string) => line(`  ${part.padEnd(10)} ${words}`.trimEnd());

  return {
    line,
    ready(part, words) {
      const seconds = ((Date.now() - begunAtMs) / 1000).toFixed(1).padStart(5);
      fact(labels[part] ?? part, `ready after ${seconds} s   ${words}`);
    },
    died({ name, reason, verdict }) {
      line(`${labels[name] ?? name} ${indent(reason)}`);
      line(
        verdict.action === 'restart'
          ? `${labels[name] ?? name} is started again.`
          : `${labels[name] ?? name} died too often: everything is stopped.`,
      );
    },
    revived: (name) => line(`${labels[name] ?? name} is back.`),
    failed(error) {
      if (error instanceof IntakeError) return line(`Not possible. ${indent(explain(error))}`);
      line(`Unexpected: ${error instanceof Error ? error.stack : String(error)}`);
    },
    answer(question, answer) {
      line(`\nQuestion   ${question}`);
      if (answer === undefined) return line('Answer     none was found');
      const { documentName, pageFrom, pageTo, score, similarity, text } = answer;
      const pages = pageFrom === pageTo ? `page ${pageFrom}` : `pages ${pageFrom}-${pageTo}`;
      const likeness = similarity === undefined ? '' : `, similarity ${similarity.toFixed(2)}`;
      line(`Answer     ${documentName}, ${pages}, score ${score.toFixed(3)}${likeness}`);
      line(`  ${indent(excerpt(text))}`);
    },
    addresses(urls, { runUrl, tokenFile }) {
      line('\nAddresses');
      fact('API', `${urls.api}/docs`);
      if (urls.temporalUi !== undefined) fact('Temporal', urls.temporalUi);
      if (runUrl !== undefined) fact('This run', runUrl);
      if (tokenFile === undefined) return;
      const path = relative(process.cwd(), tokenFile);
      fact('Sign in', `export INTAKE_URL=${urls.api} INTAKE_TOKEN=$(cat ${path})`);
    },
    documents(count) {
      line();
      progress = createDocumentProgress(stream, count);
      return { ...progress, stop: endProgress };
    },
    endProgress,
  };
}

const EXCERPT_CHARACTERS = 600;

/** A document's text is untrusted: it must not steer the terminal. */
function excerpt(text: string): string {
  const plain = plainText(text).trim();
  return plain.length <= EXCERPT_CHARACTERS ? plain : `${plain.slice(0, EXCERPT_CHARACTERS)} …`;
}

/** Its message is a sentence for those who upload; here somebody operates. */
function explain({ code, detail, cause }: IntakeError): string {
  if (detail !== undefined) return detail;
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return `${code}: ${errorCodes[code].hint}${reason}`;
}

/** Lines after the first stand below it. */
function indent(text: string): string {
  return text.replaceAll('\n', '\n  ');
}
