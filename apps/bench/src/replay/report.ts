/** The figures at the end, in lines. */
import { type ReplayReport, succeeded } from "./replay.ts";

const seconds = (value: number): string => `${value.toFixed(2)} s`;

export const describeReport = (report: ReplayReport, kills: number): ReadonlyArray<string> => {
  const { bare, cold } = report;
  const different = [...report.equal].filter(([, equal]) => !equal).map(([name]) => name);
  return [
    `session        ${report.kind}, ${report.transactions} transactions, ${report.devices} devices`,
    `entries        ${report.entries}, of which ${report.acknowledged} acknowledged to their author`,
    `bytes          ${report.bytesUp} up, ${report.bytesDown} down`,
    `server kills   ${report.kills} of ${kills}`,
    `time           ${seconds(report.seconds)} until every outbox is empty and all live replicas are equal`,
    `bare Loro      ${seconds(bare.seconds)}: the replay takes ${(report.seconds / bare.seconds).toFixed(2)} times as long`,
    `cold join      ${seconds(cold.seconds)}, ${cold.bytesUp} bytes up, ${cold.bytesDown} bytes down`,
    `memory         ${Math.round(report.memory / 1e6)} MB of the largest device's heap and buffers`,
    different.length === 0 ? "content        equal everywhere" : `content        DIFFERENT: ${different.join(", ")}`,
    succeeded(report, kills) ? "succeeded" : "FAILED",
  ];
};
