import { describe, expect, test, vi } from 'vitest';
import type { WorkerReport } from './messages.ts';
import { Reports } from './reports.ts';

function reportOf(index: number): WorkerReport {
  return { index } as WorkerReport;
}

describe('Reports', () => {
  test('resolve when all asked workers have answered', async () => {
    const reports = new Reports();
    let asked = 0;
    const round = reports.collect((request) => {
      asked = request;
      return 2;
    }, 60_000);
    reports.receive(asked, reportOf(1));
    reports.receive(asked, reportOf(0));
    expect(await round).toEqual([{ index: 1 }, { index: 0 }]);
  });

  test('resolve immediately without workers', async () => {
    expect(await new Reports().collect(() => 0, 60_000)).toEqual([]);
  });

  test('leave out a worker that does not answer in time, and ignore its late answer', async () => {
    vi.useFakeTimers();
    const reports = new Reports();
    const asked: number[] = [];
    const ask = (request: number): number => {
      asked.push(request);
      return 2;
    };
    const first = reports.collect(ask, 1_000);
    reports.receive(asked[0] ?? -1, reportOf(0));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toEqual([{ index: 0 }]);

    const second = reports.collect(ask, 1_000);
    reports.receive(asked[0] ?? -1, reportOf(1));
    reports.receive(asked[1] ?? -1, reportOf(0));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await second).toEqual([{ index: 0 }]);
    vi.useRealTimers();
  });
});
