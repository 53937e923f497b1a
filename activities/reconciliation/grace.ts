/** How long something must have stood as it does before it counts as a finding. */
import { type FindingKind, findingKinds } from '../../src/domain/reconciliation.ts';
import type { Scene } from './finding.ts';

export function graceMs(kind: FindingKind, { afterRestore }: Pick<Scene, 'afterRestore'>): number {
  return afterRestore ? 0 : findingKinds[kind].grace.ms;
}

export function isOver(
  kind: FindingKind,
  since: Date,
  scene: Pick<Scene, 'afterRestore'>,
): boolean {
  return Date.now() - since.getTime() >= graceMs(kind, scene);
}
