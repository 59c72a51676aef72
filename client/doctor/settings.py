"""The settings: each process's own, as it would read them at its start."""

from collections.abc import Sequence

from client.doctor.check import Finding, Verdict, not_applicable, ok, problem
from client.doctor.plan import LocalService, Plan
from client.messages import tr


async def look_at_settings(plan: Plan) -> Sequence[Finding]:
    """A wrong key or value names itself."""
    client = (
        _judged("client", plan.flaw) if plan.flaw else ok("client", tr("its services: {where}", where=_where(plan)))
    )
    return [_profile(plan), client, *map(_service, plan.services)]


def _profile(plan: Plan) -> Finding:
    """Whoever got the smallest by itself may not know that there are better ones."""
    if plan.is_client_alone:
        return not_applicable(tr("profile"), tr("it matters only where the services run"))
    if plan.profile_reason == "asked for":
        return ok(tr("profile"), tr("{profile}, as asked for", profile=plan.profile))
    found = tr("{profile}, chosen by itself: {reason}", profile=plan.profile, reason=plan.profile_reason)
    mend = tr("to speak more than English: {command}", command="superwhisper models pull --profile cpu")
    return Finding(tr("profile"), Verdict.OK, found, mend if plan.profile == "embedded" else "")


def _where(plan: Plan) -> str:
    return ", ".join(peer.address for peer in plan.peers)


def _service(service: LocalService) -> Finding:
    if service.absence:
        return not_applicable(service.name, tr("cannot be read without the package {package}", package=service.absence))
    return _judged(service.name, service.flaw) if service.flaw else ok(service.name, service.server.address)


def _judged(name: str, flaw: str) -> Finding:
    return problem(name, flaw, tr("mend that key; config/default.yaml has every key"))
