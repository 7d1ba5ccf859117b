"""The half-pointer network: P(s, p, o) = P(s) P(o, p | s), pointers to the ends of subjects, then of their objects.

Article: https://kexue.fm/archives/6671. Ours: word vectors and ends of words from our own segmenter; the objects'
convolution is parted into what depends on the subject and what does not, so that a text is encoded once for all of
its subjects; biases begin low, since nearly all places are not an end.
Letters: b batch, t positions, m members, d width, v width of the word vectors, p predicates.
"""

from typing import Any

import keras
from keras import ops

from kexue_cli.config import from_mapping
from kexue_cli.layers.attention import SelfAttention
from kexue_cli.layers.dense import Dense
from kexue_cli.layers.gated_convolution import GatedConvolution
from kexue_cli.layers.position_embedding import TrainedPositions
from kexue_cli.layers.span import Distance, SpanVectors
from kexue_cli.layers.text_encoder import TextEncoder, mask_of
from kexue_cli.tasks.triples.config import OBJECTS, SPAN_POINTS, SUBJECTS, NetworkConfig

BOUNDARIES = 2  # columns: a word begins, a word ends
SUBJECT_BIAS, OBJECT_BIAS = -4.0, -6.0  # logits
DISTANCE_WIDTH = 32


def build(config: NetworkConfig) -> keras.Model:
    """Return the network that is trained: both networks of prediction, one subject for each text.

    Inputs: those of the first, span (b, 6), and known_objects (b, t, 2p) if there is a prior. Outputs: subjects
    (b, t, 2m) and objects (b, t, 2pm). Each member learns alone; prediction takes their mean.
    """
    subjects, objects = _subjects(config), _objects(config)
    inputs, asked = _text_inputs(config), _subject_inputs(config)
    found = subjects(inputs)
    states = {name: array for name, array in found.items() if name != SUBJECTS}
    outputs = {SUBJECTS: found[SUBJECTS], **objects({**states, **asked})}
    return keras.Model({**inputs, **asked}, outputs, name="triples")


def _text_inputs(config: NetworkConfig) -> dict[str, Any]:
    inputs = {"text": keras.Input((None,), dtype="int32", name="text")}
    inputs["boundaries"] = keras.Input((None, BOUNDARIES), name="boundaries")
    if config.word_dimension:
        inputs["words"] = keras.Input((None, config.word_dimension), name="words")
    if config.has_prior:
        inputs["known_subjects"] = keras.Input((None, 2), name="known_subjects")
    return inputs


def _subject_inputs(config: NetworkConfig) -> dict[str, Any]:
    inputs = {"span": keras.Input((SPAN_POINTS,), dtype="int32", name="span")}
    if config.has_prior:
        inputs["known_objects"] = keras.Input((None, 2 * config.predicates), name="known_objects")
    return inputs


def _subjects(config: NetworkConfig) -> keras.Model:
    """Return the network from a text to its subjects: the members' outputs, one behind the other.

    Inputs: text (b, t), ids; boundaries (b, t, 2) of words; words (b, t, v), their vectors; known_subjects (b, t, 2),
    where known ones start and end, if there is a prior. Outputs of a member: subjects (b, t, 2), the probabilities
    that one starts and ends, 0 at padding; and what objects are found from: states (b, t, d), context (b, t, d),
    gates (b, t, 2), and presence (b, p) if there are gates.
    """
    inputs = _text_inputs(config)
    found = [_member_subjects(config, f"member_{number}")(inputs) for number in range(config.members)]
    outputs = {name: ops.concatenate([one[name] for one in found], axis=-1) for name in found[0]}
    return keras.Model(inputs, outputs, name=SUBJECTS)


def _member_subjects(config: NetworkConfig, member: str) -> keras.Model:
    inputs = _text_inputs(config)
    mask = mask_of(inputs["text"])
    size, width, rates = config.vocabulary_size, config.width, config.encoder_rates
    encode = TextEncoder(size, width, rates, config.dropout, config.gate_dropout, name="encoder")
    x = encode(inputs["text"], mask, inputs.get("words"))
    x = x + Dense(config.width, use_bias=False, name="boundaries_projection")(inputs["boundaries"])
    if config.positions:
        x = TrainedPositions(config.positions, name="positions")(x)
    x = x * mask
    for rate in config.rates:
        x = GatedConvolution(rate=rate, dropout=config.gate_dropout)(x, mask)
    outputs = {"states": x}
    parts = {name: [x] for name in (SUBJECTS, OBJECTS)}
    whole = ops.max(x - (1 - mask) * 1e9, axis=1)  # (b, d)
    if config.attention_heads:
        for name, part in parts.items():
            attend = SelfAttention(config.attention_heads, config.head_size, name=f"{name}_attention")
            part.append(attend(x, mask))
    else:
        for part in parts.values():
            part.append(ops.expand_dims(whole, 1) * mask)
    if config.has_prior:
        for part in parts.values():
            part.append(inputs["known_subjects"])
    hidden = _convolution(config, "relu", name="subjects_hidden")(ops.concatenate(parts[SUBJECTS], axis=-1))
    outputs["context"] = _convolution(config, None, name="context")(ops.concatenate(parts[OBJECTS], axis=-1))
    found = _pointer(2, SUBJECT_BIAS, name="subjects_pointer")(hidden) * mask
    if config.has_gates:
        ends = Dense(config.width, activation="relu", name="gates_hidden")(x)
        outputs["gates"] = _pointer(2, 0.0, name="gates_pointer")(ends) * mask
        seen = Dense(config.width, activation="relu", name="presence_hidden")(whole)
        outputs["presence"] = _pointer(config.predicates, 0.0, name="presence_pointer")(seen)
        found = found * outputs["gates"]
    else:
        outputs["gates"] = ops.concatenate([mask, mask], axis=-1)
    outputs[SUBJECTS] = found
    return keras.Model(inputs, outputs, name=member)


def _objects(config: NetworkConfig) -> keras.Model:
    """Return the network from a subject to its objects: the members' outputs, one behind the other.

    Inputs: span (b, 6), places from the subject's last character to its first; known_objects (b, t, 2p), where known
    ones of this subject start and end, if there is a prior; the rest is of the first network, of all members.
    Outputs of a member: objects (b, t, 2p), the probabilities that one starts (the first p columns) and ends, 0 at
    padding.
    """
    sizes = {"states": config.width, "context": config.width, "gates": 2}
    encoded = {name: keras.Input((None, config.members * size), name=name) for name, size in sizes.items()}
    if config.has_gates:
        sizes["presence"] = config.predicates
        encoded["presence"] = keras.Input((config.members * config.predicates,), name="presence")
    asked = _subject_inputs(config)
    found = []
    for number in range(config.members):
        its = {name: array[..., number * sizes[name] : (number + 1) * sizes[name]] for name, array in encoded.items()}
        found.append(_member_objects(config, f"member_{number}")({**its, **asked}))
    return keras.Model({**encoded, **asked}, {OBJECTS: ops.concatenate(found, axis=-1)}, name=OBJECTS)


def _member_objects(config: NetworkConfig, member: str) -> keras.Model:
    inputs = {name: keras.Input((None, config.width), name=name) for name in ("states", "context")}
    inputs["gates"] = keras.Input((None, 2), name="gates")
    if config.has_gates:
        inputs["presence"] = keras.Input((config.predicates,), name="presence")
    inputs |= _subject_inputs(config)
    span = inputs["span"]
    points = SpanVectors(name="span_vectors")(inputs["states"], span)  # (b, 6, d)
    if config.has_recurrent_subject:
        recurrent = keras.layers.GRU(config.width, unroll=True)
        subject = keras.layers.Bidirectional(recurrent, name="subject_vector")(points)
    else:
        subject = ops.concatenate([points[:, 0], points[:, -1]], axis=-1)
    subject = Dense(config.width, use_bias=False, name="subject_projection")(subject)
    mask = ops.cast(ops.max(inputs["gates"], axis=-1, keepdims=True) > 0, "float32")
    distance = Distance(config.distances, DISTANCE_WIDTH, name="distance")(inputs["states"], span) * mask  # (b, t, 64)
    near = keras.layers.Conv1D(config.width, 3, padding="same", use_bias=False, name="distance_convolution")(distance)
    hidden = inputs["context"] + ops.expand_dims(subject, 1) + near
    if config.has_prior:  # the share that a convolution over both would have of them, as with the distance
        known = keras.layers.Conv1D(config.width, 3, padding="same", use_bias=False, name="known_convolution")
        hidden = hidden + known(inputs["known_objects"])
    hidden = ops.relu(hidden)
    for rate in config.object_rates:
        hidden = GatedConvolution(rate=rate, dropout=config.gate_dropout)(hidden, mask)
    found = [_pointer(config.predicates, OBJECT_BIAS, name=f"{end}_pointer")(hidden) for end in ("start", "end")]
    if config.has_gates:
        some = _pointer(1, 0.0, name="some_pointer")(hidden) * ops.expand_dims(inputs["presence"], 1)
        found = [some * part for part in found]
    outputs = [part * inputs["gates"][..., end : end + 1] for end, part in enumerate(found)]
    return keras.Model(inputs, ops.concatenate(outputs, axis=-1), name=member)


def _convolution(config: NetworkConfig, activation: str | None, name: str) -> keras.layers.Layer:
    return keras.layers.Conv1D(config.width, 3, padding="same", activation=activation, name=name)


def _pointer(size: int, bias: float, name: str) -> keras.layers.Layer:
    start = keras.initializers.Constant(bias)
    return Dense(size, activation="sigmoid", bias_initializer=start, name=name)


def build_networks(values: dict[str, Any]) -> dict[str, keras.Model]:
    """Return the networks of a model folder by name; values: config.json's "network"."""
    config = from_mapping(NetworkConfig, values, "network")
    return {SUBJECTS: _subjects(config), OBJECTS: _objects(config)}
