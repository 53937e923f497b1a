/** Heartbeats from a ticker: two and a half seconds of silence mean a dead worker. */
import { heartbeat } from '@temporalio/activity';

const HEARTBEAT_EVERY_MS = 500;

/** `progress` is a hint for whoever reads heartbeats; what is done is read from rows. */
export async function withHeartbeat<Result>(
  work: (report: (progress: number) => void) => Promise<Result>,
): Promise<Result> {
  let progress = 0;
  const ticker = setInterval(() => heartbeat(progress), HEARTBEAT_EVERY_MS);
  try {
    return await work((done) => {
      progress = done;
    });
  } finally {
    clearInterval(ticker);
  }
}
