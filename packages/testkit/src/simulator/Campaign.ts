/** Campaigns of the simulator. */
import { runSeedCampaign, type SeedCampaignOptions, type SeedCampaignState } from "../campaign/index.ts";
import { FAULTS } from "./plan.ts";

export interface CampaignOptions extends Omit<SeedCampaignOptions, "worker" | "parameters"> {
  readonly devices: number;
  readonly steps: number;
  readonly defect?: string | undefined;
}

export type CampaignState = SeedCampaignState;

/** Below so many runs a rare fault need not have fired. */
const FAULTS_EXPECTED_FROM = 500;

/** Runs a campaign, or what is left of one. */
export const runCampaign = ({ devices, steps, defect, ...options }: CampaignOptions): Promise<CampaignState> =>
  runSeedCampaign({
    ...options,
    worker: new URL("./campaign-thread.ts", import.meta.url),
    parameters: { devices, steps, ...(defect === undefined ? {} : { defect }) },
  });

/** The faults that a campaign of this size should have seen and has not. */
export const missingFaults = ({ runs, counts }: Pick<CampaignState, "runs" | "counts">): ReadonlyArray<string> =>
  runs < FAULTS_EXPECTED_FROM ? [] : FAULTS.filter((fault) => (counts[fault] ?? 0) === 0);
