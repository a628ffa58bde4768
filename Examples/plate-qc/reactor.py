"""Checks the controls of a plate: one PipelineJob for each plate, finished with its numbers or failed with a reason."""

import statistics

from datacatalog.pipelinejobs import PipelineJob
from reactors.runtime import Reactor


def z_prime(wells):
    """How well positive and negative controls are told apart: 1 is perfect, 0 is not at all."""
    values = {kind: [well["value"] for well in wells if well["kind"] == kind] for kind in ("positive", "negative")}
    for kind, found in values.items():
        if len(found) < 2:
            raise ValueError("{} {} controls: a spread needs two of them".format(len(found), kind))
    window = abs(statistics.mean(values["positive"]) - statistics.mean(values["negative"]))
    if window == 0:
        raise ValueError("positive and negative controls have the same mean")
    return 1 - 3 * (statistics.stdev(values["positive"]) + statistics.stdev(values["negative"])) / window


def main():
    rx = Reactor()
    plate = rx.context.message_dict
    job = PipelineJob(rx, plate.lab, plate.experiment, plate.plate)
    job.setup().run({"wells": len(plate.wells)})
    try:
        result = {"plate": plate.plate, "z_prime": round(z_prime(plate.wells), 3)}
        if result["z_prime"] < rx.settings.qc.min_z_prime:
            raise ValueError("Z' is {}, at least {}".format(result["z_prime"], rx.settings.qc.min_z_prime))
    except ValueError as problem:
        job.fail({"reason": str(problem)})
        rx.on_failure("{} is not good".format(plate.plate), problem)
    job.finish(result)
    if rx.settings.report_to:
        rx.send_message(rx.settings.report_to, dict(result, job=job.uuid))
    rx.on_success("{}: Z' {z_prime}".format(job.uuid, **result))


if __name__ == "__main__":
    main()
