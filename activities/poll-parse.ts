/** pollParse: asks the parser how a job stands, since its webhook stays silent. Reads only. */
import { findParseJob } from '../src/db/parse-jobs.ts';
import { IntakeError } from '../src/domain/errors.ts';
import { withAttempt } from './attempt-scope.ts';
import type { ParseJobRef, PollParseResult } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';

export async function pollParse(
  dependencies: ActivityDependencies,
  ref: ParseJobRef,
): Promise<PollParseResult> {
  return withAttempt(dependencies, ref, async ({ signal }) => {
    const job = await findParseJob(dependencies.pool, ref.parseJobId);
    if (!job?.providerJobId)
      throw new IntakeError('ATTEMPT_ABSENT', { detail: 'the parse job has no row' });
    const { state } = await dependencies.parser
      .state(job.providerJobId, signal)
      .catch((error: unknown) => {
        // The vendor lost it: that is an end too, which collect writes down.
        if (!(error instanceof IntakeError) || error.code !== 'LLAMAPARSE_RESULT_EXPIRED')
          throw error;
        return { state: 'lost' as const };
      });
    return { state: state === 'pending' ? 'pending' : 'ended' };
  });
}
