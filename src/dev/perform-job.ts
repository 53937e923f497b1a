/** The main job against a running stack, shown on the screen and, when asked for, as JSON. */
import { createApiClient } from '../cli/api-client.ts';
import type { ExitCode } from '../cli/exit-codes.ts';
import type { Failure } from '../cli/failure-words.ts';
import type { Journey } from '../cli/journey.ts';
import { printableJson } from '../cli/plain-text.ts';
import { fileInJson, reportOf } from '../cli/report.ts';
import { exitCodeOfJob, runMainJob } from './main-job.ts';
import type { StackUrls } from './pid-file.ts';
import type { Session } from './up-session.ts';

export interface JobTarget {
  readonly urls: StackUrls;
  readonly token: string;
  readonly files: readonly string[];
  /** The stack answers at its addresses after the job as well. */
  readonly staysUp: boolean;
}

/** Resolves with what `--once` ends with. */
export async function performJob(
  { options, screen, folder }: Session,
  { urls, token, files, staysUp }: JobTarget,
): Promise<ExitCode> {
  const client = createApiClient({ url: urls.api, token });
  const outcome = await runMainJob(client, files, screen.documents(files.length));
  const { journeys, question, answer } = outcome;
  const known = journeys.filter(endedBefore).map(({ label }) => label);
  if (known.length > 0) screen.line(`Ingested by an earlier start: ${known.join(', ')}`);
  if (question !== undefined) screen.answer(question, answer);
  if (staysUp) {
    const runUrl = journeys[0]?.document?.links.temporalRun;
    screen.addresses(urls, { ...(runUrl && { runUrl }), tokenFile: folder.tokenFile });
  } else {
    screen.line(
      '\n--once: everything stops now. Without it, API and Temporal UI stay up to be looked at.',
    );
  }
  if (options.json) {
    const documents = journeys.map((journey) => fileInJson(reportOf(journey)));
    printJson({ documents, question: question ?? null, answer: answer ?? null });
  }
  return exitCodeOfJob(outcome);
}

function endedBefore({ begunAtMs, document }: Journey): boolean {
  return document?.endedAt !== undefined && Date.parse(document.endedAt) < begunAtMs;
}

/** The only thing that `up` writes to stdout when it was asked for JSON. */
export function printJson(result: {
  readonly documents: readonly unknown[];
  readonly question: string | null;
  readonly answer: unknown;
  readonly error?: Failure;
}): void {
  process.stdout.write(`${printableJson(result)}\n`);
}
