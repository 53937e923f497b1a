/** Messages and stacks of failures become payloads, so that encryption covers them. Loaded by its path, in workflows too. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
