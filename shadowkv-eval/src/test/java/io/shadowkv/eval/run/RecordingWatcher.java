package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

public final class RecordingWatcher implements Watcher {
    public final List<List<Item>> failed = Collections.synchronizedList(new ArrayList<>());
    public final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    public final List<Item> leftOut = Collections.synchronizedList(new ArrayList<>());
    public final List<Progress> progress = Collections.synchronizedList(new ArrayList<>());
    public final List<Double> read = Collections.synchronizedList(new ArrayList<>());

    @Override
    public void asking(int examiner, List<Item> items) {}

    @Override
    public void reading(int examiner, double done) {
        read.add(done);
    }

    @Override
    public void answered(int examiner, List<AnswerRecord> answers, Progress now) {
        progress.add(now);
    }

    @Override
    public void leftOut(int examiner, SampleRefusal refusal) {
        leftOut.add(refusal.item());
    }

    @Override
    public void failed(int examiner, List<Item> items, ExaminerFailure failure) {
        failed.add(items);
        failures.add(failure.getMessage());
    }
}
