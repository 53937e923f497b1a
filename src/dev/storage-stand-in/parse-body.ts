/** Checks a JSON body and refuses it as the real server's schemas do. */
import { z } from 'zod';
import { refuse } from './refusals.ts';

export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw refuse.invalidRequest(z.prettifyError(parsed.error));
  return parsed.data;
}
