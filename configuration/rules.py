"""What must be true between the parts of a file, so that at night somebody can be reached.

Each rule reads the tree by itself and passes over what another rule or the model refuses,
so that one mistake does not hide the next.
"""

from collections.abc import Callable, Iterator

from configuration.declared import File
from configuration.mistake import Mistake
from configuration.rules_of_lines import (
    danger_is_said_in_every_language,
    menu_keys_are_different,
    opening_hours_make_sense,
)
from configuration.rules_of_names import (
    a_name_means_one_thing,
    emergency_number_leads_to_help,
    names_are_known,
    numbers_belong_to_one,
    numbers_can_be_dialled,
)
from configuration.rules_of_reach import (
    channels_have_an_address,
    messages_reach_somebody,
    operators_hear_of_trouble,
    push_urls_can_be_used,
    rungs_reach_somebody,
    stand_ins_can_be_reached,
)
from configuration.rules_of_time import (
    clocks_leave_time_to_answer,
    hand_overs_exist_once,
    overrides_are_clear,
    rotations_have_no_gap,
    rotations_start_at_a_hand_over,
)

Rule = Callable[[File], Iterator[Mistake]]

RULES: tuple[Rule, ...] = (
    a_name_means_one_thing,
    names_are_known,
    numbers_can_be_dialled,
    numbers_belong_to_one,
    emergency_number_leads_to_help,
    rungs_reach_somebody,
    channels_have_an_address,
    stand_ins_can_be_reached,
    push_urls_can_be_used,
    operators_hear_of_trouble,
    messages_reach_somebody,
    clocks_leave_time_to_answer,
    rotations_have_no_gap,
    rotations_start_at_a_hand_over,
    hand_overs_exist_once,
    overrides_are_clear,
    opening_hours_make_sense,
    menu_keys_are_different,
    danger_is_said_in_every_language,
)
