/** Vectors: one table per width, since a cast over mixed widths fails the whole query. */
import { IntakeError } from '../domain/errors.ts';

const tables: ReadonlyMap<number, string> = new Map([
  [384, 'intake.vectors_384'],
  [1536, 'intake.vectors_1536'],
]);

/** The only names that enter a statement as text. */
export function vectorTable(dimensions: number): string {
  const table = tables.get(dimensions);
  if (!table)
    throw new IntakeError('CONFIGURATION_INVALID', { detail: `no vectors are ${dimensions} wide` });
  return table;
}

/** Vectors travel as text: `pg` has no type for them, and the cast into the column checks the width. */
export function vectorLiteral(vector: readonly number[]): string {
  return `[${vector.join(',')}]`;
}
