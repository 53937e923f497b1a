/** Cells side by side: each lane is a ground of its own, since a killed process takes all its documents with it. */
import { type Cell, inWords, type Result } from './cell.ts';
import { type Ground, layGround } from './ground.ts';

export async function runInLanes(
  cells: readonly Cell[],
  lanes: number,
  tell: (result: Result) => void,
): Promise<readonly Result[]> {
  const waiting = [...cells];
  const results: Result[] = [];
  const lane = async () => {
    let ground: Ground | undefined;
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      const { group, name } = cell;
      const { outcome, laid } = await tryOut(cell, ground);
      const isWrong = outcome.wrong.length > 0;
      const kept = isWrong && laid !== undefined ? [`logs in ${laid.folder}`] : [];
      const result = { group, name, ...outcome, wrong: [...outcome.wrong, ...kept] };
      results.push(result);
      tell(result);
      // What went wrong must not be counted against the next cell.
      if (isWrong) await laid?.close({ keep: true });
      ground = isWrong ? undefined : laid;
    }
    await ground?.close();
  };
  await Promise.all(Array.from({ length: Math.min(lanes, cells.length) }, lane));
  return results;
}

/** On the ground that is there, or on a fresh one; a machine too busy to lay one fails the cell and not the run. */
async function tryOut(cell: Cell, ground: Ground | undefined) {
  let laid = ground;
  try {
    laid ??= await layGround();
    return { outcome: await cell.run(laid), laid };
  } catch (error) {
    const died = laid === undefined ? [] : inWords(laid, []);
    return { outcome: { recoveryMs: undefined, wrong: [`${error}`, ...died] }, laid };
  }
}
