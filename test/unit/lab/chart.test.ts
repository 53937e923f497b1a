import { expect, test } from 'vitest';
import { drawBars } from '../../../bench/lab/chart.ts';

const chart = {
  title: 'Time <p99> & "more"',
  note: 'less is better',
  bars: [
    { label: 'before', value: 10, text: '10 s' },
    { label: 'after', value: 5, text: '5 s' },
    { label: 'nobody', value: undefined, text: '-' },
  ],
};
const widths = (svg: string) =>
  [...svg.matchAll(/<rect [^>]*width="(\d+)"/g)].map(([, width]) => Number(width));

test('bars are as long as their values say', () => {
  const [longest = 0, half, none] = widths(drawBars(chart));
  expect(longest).toBeGreaterThan(0);
  expect([half, none]).toEqual([longest / 2, 0]);
});

test('all zero draws nothing and divides by nothing', () => {
  const bars = chart.bars.map((bar) => ({ ...bar, value: 0 }));
  expect(widths(drawBars({ ...chart, bars }))).toEqual([0, 0, 0]);
});

test('words cannot break out of the picture', () => {
  const svg = drawBars(chart);
  expect(svg).toContain('Time &lt;p99&gt; &amp; &quot;more&quot;');
  expect(svg).not.toContain('<p99>');
});
