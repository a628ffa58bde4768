%% What Erlang processes do on the workloads that reactord's mailboxes are measured on; prints one line of JSON.
%%   fanin ACTORS MESSAGES   two senders to ACTORS processes, until every process has taken all of its messages
%%   roundtrip COUNT         there and back between two processes
%%   idle ACTORS             bytes per process that waits
-module(mailboxes).
-export([main/1]).

main(["fanin", Actors, Messages]) -> fan_in(list_to_integer(Actors), list_to_integer(Messages));
main(["roundtrip", Count]) -> round_trip(list_to_integer(Count));
main(["idle", Actors]) -> idle(list_to_integer(Actors)).

fan_in(Actors, Messages) ->
    Main = self(),
    Senders = 2,
    Each = Messages div (Senders * Actors),
    Pids = [spawn(fun() -> take(Senders * Each, Main) end) || _ <- lists:seq(1, Actors)],
    %% A tuple that is sent to a process is copied; a persistent term is not.
    persistent_term:put(pids, list_to_tuple(Pids)),
    Starts = [spawn(fun() -> receive go -> send(Each * Actors, Actors) end end) || _ <- lists:seq(1, Senders)],
    Began = erlang:monotonic_time(nanosecond),
    [Start ! go || Start <- Starts],
    %% Any of them: to wait for each by its name would search all that came before it.
    [receive done -> ok end || _ <- Pids],
    Time = erlang:monotonic_time(nanosecond) - Began,
    Sent = Senders * Each * Actors,
    io:format("{\"messages\":~b,\"per_second\":~.1f,\"nanoseconds\":~.2f}~n", [Sent, Sent * 1.0e9 / Time, Time / Sent]),
    halt().

send(Count, Actors) -> send(persistent_term:get(pids), 1, Count, Actors).

send(_, _, 0, _) -> ok;
send(Pids, Next, Left, Actors) ->
    element(Next, Pids) ! Left,
    send(Pids, if Next =:= Actors -> 1; true -> Next + 1 end, Left - 1, Actors).

take(0, Main) -> Main ! done;
take(Left, Main) -> receive _ -> take(Left - 1, Main) end.

round_trip(Count) ->
    Other = spawn(fun echo/0),
    ping(Other, 1000),
    Began = erlang:monotonic_time(nanosecond),
    ping(Other, Count),
    Time = erlang:monotonic_time(nanosecond) - Began,
    io:format("{\"count\":~b,\"nanoseconds\":~.2f}~n", [Count, Time / Count]),
    halt().

ping(_, 0) -> ok;
ping(Other, Left) ->
    Other ! {self(), Left},
    receive Left -> ping(Other, Left - 1) end.

echo() -> receive {From, Number} -> From ! Number, echo() end.

idle(Actors) ->
    Before = erlang:memory(total),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, Actors)],
    [erlang:garbage_collect(Pid) || Pid <- Pids],
    erlang:garbage_collect(),
    %% Without the list that we hold: a pid in a list is two words.
    Bytes = erlang:memory(total) - Before - Actors * 16,
    io:format("{\"actors\":~b,\"bytes\":~.1f}~n", [length(Pids), Bytes / Actors]),
    halt().
