/** The main job against a running stack, shown on the screen or as JSON. */
import { createApiClient } from '../cli/api-client.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { type JobOutcome, runMainJob, succeeded } from './main-job.ts';
import type { StackUrls } from './pid-file.ts';
import type { Session } from './up-session.ts';

export interface JobTarget {
  readonly urls: StackUrls;
  readonly token: string;
  readonly files: readonly string[];
}

/** Resolves with whether every file is complete and the question was answered. */
export async function performJob(
  { options, screen, folder }: Session,
  { urls, token, files }: JobTarget,
): Promise<boolean> {
  const client = createApiClient({ url: urls.api, token });
  const progress = screen.documents();
  const outcome = await runMainJob(client, files, progress);
  if (outcome.question !== null) screen.answer(outcome.question, outcome.answer);
  const runUrl = outcome.documents[0]?.runUrl;
  screen.addresses(urls, { ...(runUrl && { runUrl }), tokenFile: folder.tokenFile });
  if (options.json) printJson(outcome);
  return succeeded(outcome);
}

/** The only thing that `up` ever writes to stdout when it was asked for JSON. */
export function printJson(outcome: JobOutcome & { readonly errorCode?: ErrorCode }): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
