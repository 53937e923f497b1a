/** The life of the local stack: clean up, start, do the main job, stay, and stop in order whatever happens. */
import { type ExitCode, exitCodes } from '../cli/exit-codes.ts';
import { endLeftovers, openLedger } from './children-ledger.ts';
import { sample } from './main-job.ts';
import { performJob } from './perform-job.ts';
import type { StackUrls } from './pid-file.ts';
import { type Plan, prepareStack } from './prepare-stack.ts';
import { withoutProxy } from './stack-plan.ts';
import { startStack, stopOrder } from './start-stack.ts';
import { listenForStop } from './stop-signals.ts';
import { createSupervisor } from './supervisor.ts';
import type { Session } from './up-session.ts';

/** `publish` is called once everything is ready. Resolves with the exit code when no child runs any more. */
export async function runStack(
  session: Session,
  publish: (urls: StackUrls) => void,
): Promise<ExitCode> {
  const { options, folder, screen } = session;
  const signals = listenForStop();
  process.umask(0o077); // the children keep people's documents
  Object.assign(process.env, withoutProxy(process.env));
  const leftovers = await endLeftovers(folder.childrenFile);
  if (leftovers.length > 0) {
    screen.line(`Ended what a killed start had left running: ${leftovers.join(', ')}.`);
  }
  const port = options.port === undefined ? {} : { API_PORT: options.port };
  const plan = await prepareStack({ ...process.env, ...port }, folder);
  const ledger = openLedger(folder.childrenFile);
  const supervisor = createSupervisor({
    spawned: ledger.add,
    died: screen.died,
    revived: screen.revived,
  });

  const work = async () => {
    const { ready } = screen;
    await startStack({ plan, folder, supervisor, mayChangeRemote: options.yes, ready });
    const urls = urlsOf(plan);
    publish(urls);
    const exitCode = await performAllowedJob(session, plan, urls);
    if (options.once) return exitCode;
    screen.line('Ctrl-C stops everything.');
    return new Promise<never>(() => undefined);
  };
  const stopAsked = signals.first.then(() => {
    screen.endProgress();
    screen.line('Stopping; another Ctrl-C stops at once.');
    return options.once ? exitCodes.interrupted : exitCodes.done;
  });
  // Whatever goes wrong here itself (disk full, state folder gone) must not leave the children behind.
  const broken = Promise.withResolvers<never>();
  process.on('uncaughtException', broken.reject);
  try {
    return await Promise.race([
      work(),
      stopAsked,
      supervisor.gaveUp.then(() => exitCodes.unexpected),
      broken.promise,
    ]);
  } finally {
    const drained = supervisor.stop(stopOrder);
    await Promise.race([drained, signals.second.then(() => supervisor.kill())]);
    screen.line('Stopped.');
  }
}

function urlsOf({ apiUrl, config }: Plan): StackUrls {
  const { TEMPORAL_UI_URL } = config;
  return { api: apiUrl, ...(TEMPORAL_UI_URL === undefined ? {} : { temporalUi: TEMPORAL_UI_URL }) };
}

/** Nothing is put into what belongs to others without being told. */
async function performAllowedJob(
  session: Session,
  { databaseIsRemote, token }: Plan,
  urls: StackUrls,
): Promise<ExitCode> {
  const { options, screen } = session;
  const sampleToo = options.yes || !databaseIsRemote;
  const files = sampleToo ? [sample.path, ...options.files] : options.files;
  if (token !== undefined && files.length > 0) {
    return performJob(session, { urls, token, files, staysUp: !options.once });
  }
  screen.line(
    token === undefined
      ? 'No document is ingested: Supabase is given, so give a user’s access token as INTAKE_TOKEN.'
      : 'No sample is ingested, since the database is not on this machine: --yes allows it.',
  );
  if (!options.once) screen.addresses(urls, {});
  return exitCodes.misused;
}
